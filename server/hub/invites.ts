/** Invites: words that let somebody in, a number of times, until a time. */
import { HubError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { RoleName } from '../../shared/model.ts';
import type { Domain } from './handlers.ts';
import type { Document, Write } from './host.ts';

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
export async function readInvite(
  { store, clock }: Domain,
  word: string,
  kind: Invite['kind'],
): Promise<Document<Invite>> {
  const found = await store.document<Invite>('invite', word);
  if (found?.value.kind === kind && found.value.untilMs > clock.now()) return found;
  throw new HubError('auth-failed', 'this invite does not open any more, or not this door; ask for another one');
}

/** The step that takes one use; goes into the transaction of what the invite opens. */
export function useInvite({ key, version, value }: Document<Invite>): Write {
  if (value.uses <= 1) return { kind: 'remove-document', document: 'invite', key };
  return { kind: 'put-document', document: 'invite', key, value: { ...value, uses: value.uses - 1 }, expect: version };
}

/** While there is no account: the word that makes the first one, an administrator's, once. The same one until it is too old. */
export async function setupInvite(host: Pick<Domain, 'store' | 'random'>, nowMs: number): Promise<string | undefined> {
  if ((await host.store.documents('account', { limit: 1 })).length > 0) return undefined;
  const known = await host.store.documents<Invite>('invite', { limit: limits.invitesMax });
  const open = known.find(({ value }) => value.admin && value.untilMs > nowMs);
  if (open) return open.key;
  return makeInvite(host, { kind: 'account', by: '', admin: true, uses: 1, untilMs: nowMs + limits.inviteMs });
}

export async function makeInvite({ store, random }: Pick<Domain, 'store' | 'random'>, value: Invite): Promise<string> {
  const word = `i_${random.token(18)}`;
  await store.commit([{ kind: 'put-document', document: 'invite', key: word, value, expect: 0 }]);
  return word;
}
