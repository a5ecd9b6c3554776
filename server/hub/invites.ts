/** Invites: words that let somebody in, a number of times, until a time. */
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { RoleName } from '../../shared/model.ts';
import type { Domain } from './handlers.ts';
import type { Document } from './host.ts';
import type { Write } from './writes.ts';

/** The document of kind `invite` under the word itself. */
export interface Invite {
  readonly kind: 'guest' | 'account';
  /** Folded account name of who made it. */
  readonly by: string;
  readonly uses: number;
  readonly untilMs: number;
  /** Of the first start: its account is an administrator's. */
  readonly admin?: true;
  readonly room?: string;
  readonly role?: RoleName;
}

/** Error: `auth-failed` for a word that does not open, whatever the reason. */
async function readInvite({ store, clock }: Domain, word: string, kind: Invite['kind']): Promise<Document<Invite>> {
  const found = await store.document<Invite>('invite', word);
  if (found?.value.kind === kind && found.value.untilMs > clock.now()) return found;
  throw new HubError('auth-failed', 'this invite does not open any more, or not this door; ask for another one');
}

/** Takes one use, in one transaction with the writes that it opens: never twice, and not for nothing. Errors: `auth-failed`; those of `opens`. */
export async function useInvite(
  domain: Domain,
  word: string,
  kind: Invite['kind'],
  opens: (invite: Invite) => Promise<readonly Write[]>,
): Promise<Invite> {
  for (;;) {
    const { key, version, value } = await readInvite(domain, word, kind);
    const left = { ...value, uses: value.uses - 1 };
    const used: Write[] = [{ kind: 'put-document', document: 'invite', key, value: left, expect: version }];
    if (left.uses <= 0) used.push({ kind: 'remove-document', document: 'invite', key });
    try {
      await domain.store.commit([...used, ...(await opens(value))]);
      return value;
    } catch (error) {
      // Somebody else took a use, or made what was to be made: looked at again, one of both says so.
      if (!(error instanceof HubError && error.code === 'conflict')) throw error;
    }
  }
}

/** Those that open still; what is over is removed on the way. */
export async function openInvites({
  store,
  clock,
}: Pick<Domain, 'store' | 'clock'>): Promise<readonly Document<Invite>[]> {
  const all = await store.documents<Invite>('invite', { limit: limits.invitesMax });
  const over = all.filter(({ value }) => value.untilMs <= clock.now());
  if (over.length > 0) {
    await store.commit(over.map(({ key }) => ({ kind: 'remove-document', document: 'invite', key }) as const));
  }
  return all.filter(({ value }) => value.untilMs > clock.now());
}

/** While there is no account: the word that makes the first one, an administrator's, once. The same one until it is too old. */
export async function setupInvite(host: Pick<Domain, 'store' | 'random' | 'clock'>): Promise<string | undefined> {
  if ((await host.store.documents('account', { limit: 1 })).length > 0) return undefined;
  const open = (await openInvites(host)).find(({ value }) => value.admin);
  if (open) return open.key;
  const untilMs = host.clock.now() + limits.inviteMs;
  return makeInvite(host, { kind: 'account', by: '', admin: true, uses: 1, untilMs });
}

/** Error: `quota` when there are too many. */
export async function makeInvite(host: Pick<Domain, 'store' | 'random' | 'clock'>, value: Invite): Promise<string> {
  if ((await openInvites(host)).length >= limits.invitesMax) {
    throw new HubError('quota', 'there are too many invites; REVOKE some, INVITES lists them');
  }
  const word = `i_${host.random.token(18)}`;
  await host.store.commit([{ kind: 'put-document', document: 'invite', key: word, value, expect: 0 }]);
  return word;
}
