/** A hub in memory with people in it, for tests of its rules without a wire. */
import { randomBytes } from 'node:crypto';
import { createHub } from '../../server/hub/create-hub.ts';
import type { Passwords, Store } from '../../server/hub/host.ts';
import type { Hub } from '../../server/hub/hub.ts';
import { accountDocument } from '../../server/hub/people.ts';
import type { Exchange, Session } from '../../server/hub/session.ts';
import { systemClock } from '../../server/net/system-clock.ts';
import { memoryBlobs } from '../../server/store/memory/blobs.ts';
import { memoryStore } from '../../server/store/memory/store.ts';
import { type CommandName, type InputOf, isCommandName, type OutputOf } from '../../shared/commands/index.ts';
import type { HubEvent } from '../../shared/events.ts';
import type { UserName } from '../../shared/names.ts';
import { foldName } from '../../shared/text.ts';

/** Plain passwords: what scrypt costs is tested where scrypt is. */
const plainPasswords: Passwords = {
  hash: async password => `plain$${password}`,
  verify: async (password, stored) => stored === `plain$${password}`,
};

export interface Guest {
  readonly session: Session;
  readonly events: HubEvent[];
  /** Executes and gives output, or the code of the error. */
  do<N extends CommandName>(name: N, input: InputOf<N>, exchange?: Exchange): Promise<OutputOf<N>>;
  /** The code with which a request is refused, or `ok`. */
  code(name: CommandName, input: unknown, exchange?: Exchange): Promise<string>;
  rows(name: CommandName, input: unknown): Promise<Record<string, unknown>[]>;
  /** A file in one go. */
  put(path: string, content: string | Uint8Array, more?: Record<string, unknown>): Promise<OutputOf<'PUT'>>;
}

export interface TestHub {
  readonly hub: Hub;
  readonly store: Store;
  /** Enters with an account, made when first used; `admin` is one who owns every room. */
  account(name: string): Promise<Guest>;
  guest(name: string): Promise<Guest>;
  stranger(origin?: Partial<Session['origin']>): Guest;
  /** The turns in which events go out have passed. */
  settle(): Promise<void>;
}

export async function testHub(more: Partial<Parameters<typeof createHub>[0]> = {}): Promise<TestHub> {
  const store = more.store ?? memoryStore();
  const hub = await createHub({
    name: 'test',
    store,
    blobs: memoryBlobs(),
    passwords: plainPasswords,
    clock: systemClock,
    random: { token: octets => randomBytes(octets).toString('base64url') },
    report: ({ what, error }) => {
      throw new Error(what, { cause: error });
    },
    settings: { guests: true, clearPasswords: false, registration: false },
    ...more,
  });
  const enter = (origin: Partial<Session['origin']> = {}): Guest =>
    person(hub, hub.connect({ wire: 'test', address: '127.0.0.1', secure: false, loopback: true, ...origin }));
  return {
    hub,
    store,
    stranger: enter,
    async account(name) {
      const { key, value } = accountDocument(name as UserName, 'plain$secret', name === 'admin', 0);
      if (!(await store.document('account', foldName(name)))) {
        await store.commit([{ kind: 'put-document', document: 'account', key, value }]);
      }
      const guest = enter();
      await guest.do('LOGIN', { user: name, password: 'secret' });
      return guest;
    },
    async guest(name) {
      const guest = enter();
      await guest.do('NICK', { user: name });
      return guest;
    },
    async settle() {
      for (let turn = 0; turn < 3; turn++) await new Promise<void>(resolve => systemClock.soon(resolve));
    },
  };
}

function person(hub: Hub, session: Session): Guest {
  const events: HubEvent[] = [];
  hub.subscribe(session, { deliver: batch => void events.push(...batch.events) });
  const guest: Guest = {
    session,
    events,
    do: (name, input, exchange) => hub.execute(session, name, input, exchange),
    async code(name, input, exchange) {
      if (!isCommandName(name)) throw new Error(`there is no ${name}`);
      return hub.execute(session, name, input, exchange).then(
        () => 'ok',
        error => error.code ?? String(error),
      );
    },
    async rows(name, input) {
      const rows: Record<string, unknown>[] = [];
      await hub.execute(session, name, input, {
        row: (fields, event) => void rows.push({ ...(event !== undefined && { event }), ...fields }),
      });
      return rows;
    },
    put: (path, content, more = {}) => {
      const octets = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      return hub.execute(session, 'PUT', { path, ...more }, { content: { octets: octets.length, pieces: [octets] } });
    },
  };
  return guest;
}
