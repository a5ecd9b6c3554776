/** What an administrator does to a data folder without the server: accounts, check, backup. Works beside a running server. */
import { mkdir } from 'node:fs/promises';
import { HubError } from '../shared/errors.ts';
import { type FilePath, UserName } from '../shared/names.ts';
import { foldName } from '../shared/text.ts';
import { type Exported, exportRoom as exportRoomOf } from './export.ts';
import type { Store } from './hub/host.ts';
import { type AccountDocument, accountDocument } from './hub/people.ts';
import { tokensOf } from './hub/tokens.ts';
import type { Write } from './hub/writes.ts';
import { systemClock } from './net/system-clock.ts';
import { copyDataFolder } from './store/embedded/backup.ts';
import { type CheckReport, checkEmbedded } from './store/embedded/check.ts';
import { type Embedded, openEmbedded } from './store/embedded/open.ts';
import { createPasswords } from './store/passwords.ts';

function withStore<T>(dataDir: string, work: (store: Store) => Promise<T>): Promise<T> {
  return withFolder(dataDir, ({ store }) => work(store));
}

async function withFolder<T>(dataDir: string, work: (opened: Embedded) => Promise<T>): Promise<T> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const opened = await openEmbedded({
    dataDir,
    shared: true,
    ballastOctets: 0,
    lowWaterOctets: 0,
    clock: systemClock,
    report: ({ what, error }) => {
      throw new Error(what, { cause: error });
    },
  });
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

/** Makes the account, or gives it a new password. Errors: HubError `bad-argument`. */
export async function setAccount(
  dataDir: string,
  name: string,
  password: string,
  isAdmin: boolean,
): Promise<'made' | 'changed'> {
  const user = UserName.safeParse(name);
  if (!user.success) throw new HubError('bad-argument', user.error.issues[0]!.message);
  if (password === '') throw new HubError('bad-argument', 'the password is empty');
  const passwords = createPasswords();
  const hash = await passwords.hash(password).finally(() => passwords.close());
  return withStore(dataDir, async store => {
    const { key, value } = accountDocument(user.data, hash, isAdmin, systemClock.now());
    const known = await store.document<AccountDocument>('account', key);
    const kept = known ? { ...value, admin: isAdmin || known.value.admin, created: known.value.created } : value;
    await store.commit([{ kind: 'put-document', document: 'account', key, value: kept }]);
    return known ? 'changed' : 'made';
  });
}

export async function listAccounts(dataDir: string): Promise<readonly AccountDocument[]> {
  return withStore(dataDir, async store => {
    const accounts: AccountDocument[] = [];
    for (let after: string | undefined; ; ) {
      const page = await store.documents<AccountDocument>('account', {
        limit: 500,
        ...(after !== undefined && { after }),
      });
      accounts.push(...page.map(({ value }) => value));
      after = page.at(-1)?.key;
      if (page.length < 500) return accounts;
    }
  });
}

/** Errors: HubError `no-user`; `conflict` while the home holds something. What the person wrote and uploaded stays. */
export async function removeAccount(dataDir: string, name: string): Promise<void> {
  await withStore(dataDir, async store => {
    const key = foldName(name);
    if (!(await store.document('account', key))) throw new HubError('no-user', `there is no account ${name}`);
    // Whoever gets the name later gets the home.
    if ((await store.children(`/~${key}` as FilePath, { limit: 1 })).length > 0)
      throw new HubError('conflict', `/~${key} holds files: an administrator moves or removes them first`);
    const writes: Write[] = [{ kind: 'remove-document', document: 'account', key }];
    // Whoever gets the name later must not be entered by them.
    for await (const token of tokensOf({ store }, key)) {
      writes.push({ kind: 'remove-document', document: 'token', key: token.key });
    }
    await store.commit(writes);
  });
}

export function check(dataDir: string, repair: boolean): Promise<CheckReport> {
  return checkEmbedded({ dataDir, repair, verifyHashes: true });
}

const secrets = ['cert.pem', 'key.pem'];

/**
 * A copy of the data folder in `folder`, which is missing or empty, also while a server runs. Unfinished uploads stay
 * behind. Errors: as `copyDataFolder`.
 */
export function backup(dataDir: string, folder: string, verify: boolean): Promise<CheckReport> {
  return copyDataFolder({ from: dataDir, to: folder, secrets, verify });
}

/** Makes a data folder, missing or empty, of a backup, and reads all of it to compare the hashes. Errors: as `copyDataFolder`. */
export function restore(folder: string, dataDir: string): Promise<CheckReport> {
  return copyDataFolder({ from: folder, to: dataDir, secrets, verify: true });
}

/** Errors: `no-room`, `exists` if the folder is not empty, `no-space`. */
export function exportRoom(dataDir: string, room: string, folder: string): Promise<Exported> {
  return withFolder(dataDir, opened => exportRoomOf(opened, room, folder));
}
