/** The wire view's rules: whose connections one may look at, how much of them, and who is told. How it looks is not here. */
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import { audit } from './audit.ts';
import { tellAll } from './fanout.ts';
import type { Domain, Handlers } from './handlers.ts';
import type { OpenConnection, Sight, WireView } from './host.ts';
import type { LiveSession } from './live-session.ts';
import type { Person } from './session.ts';

interface Asked {
  readonly person: Person;
  readonly session: LiveSession;
  /** The connection on which it was asked. */
  readonly asking: string | undefined;
  readonly which: string | number | undefined;
  readonly contents: boolean;
}

export function wireHandlers(domain: Domain): Pick<Handlers, 'WIRE' | 'LINGER'> {
  const { wireView, sessions, clock } = domain;

  const viewOrError = (): WireView => {
    if (wireView) return wireView;
    throw new HubError('conflict', 'this server shows no connections');
  };
  const sessionOf = ({ session }: OpenConnection) => (session === undefined ? undefined : sessions.get(session));

  /** By the server's own view of whose it is, never by what a client says of itself. */
  function isOwn(connection: OpenConnection, { person, session }: Pick<Asked, 'person' | 'session'>): boolean {
    const theirs = sessionOf(connection);
    if (theirs === undefined || theirs === session) return theirs !== undefined;
    // A token that says less than everything does not read along on everything.
    return !person.scope && theirs.person?.principal === person.principal;
  }

  function isMeant({ id, of, port }: OpenConnection, { which, asking }: Asked): boolean {
    if (which === undefined) return id !== asking && of !== asking;
    return typeof which === 'number' ? port === which && id !== asking : id === which || of === which;
  }

  function sight(connection: OpenConnection, asked: Asked): Sight {
    if (!isMeant(connection, asked)) return 'nothing';
    if (isOwn(connection, asked)) return 'contents';
    const isKnown = sessionOf(connection)?.person !== undefined;
    if (asked.person.isAdmin && asked.which !== undefined) {
      if (!asked.contents) return 'headers';
      if (isKnown) return told.has(connection) ? 'contents' : 'headers';
    }
    return isKnown ? 'nothing' : 'later';
  }

  const told = new ToldPeople(domain, sessionOf);

  /** Error: `no-user` for what one may not see as for what is not there; `forbidden`. */
  function demandSight(view: WireView, asked: Asked): void {
    const { which, person, contents } = asked;
    if (contents && !person.isAdmin)
      throw new HubError('forbidden', 'contents=1 is for administrators; your own are shown');
    if (contents && typeof which !== 'string') {
      throw new HubError('bad-argument', 'contents=1 is about one connection; name it', { at: 'which' });
    }
    if (typeof which !== 'string') return;
    const found = [...view.connections()].find(({ id }) => id === which);
    if (!found || (!person.isAdmin && !isOwn(found, asked))) {
      throw new HubError('no-user', `you have no connection ${which}; WIRE lists yours`);
    }
  }

  return {
    async WIRE(
      { session, person, exchange },
      { do: act = 'list', which, for: forMs, once = false, contents = false, packets = false },
    ) {
      const view = viewOrError();
      const asking = exchange.connection;
      const asked: Asked = { person, session, asking, which, contents };
      if (act === 'list') {
        let count = 0;
        for (const connection of [...view.connections()].filter(one => mayList(one, asked))) {
          await exchange.row?.(listed(connection, sessionOf(connection)?.person, asking));
          count++;
        }
        return { count, sources: await view.sources() };
      }
      demandSight(view, asked);
      if (contents) await told.tell(view, asked);
      if (person.isAdmin && which !== undefined) {
        await audit(domain, session, 'WIRE', ['which', 'contents'], { which, ...(contents && { contents }) });
      }
      const ended = endOf(session, exchange.signal);
      const cancel = forMs === undefined ? undefined : clock.after(forMs, ended.end);
      try {
        const row = exchange.row ? (event: Readonly<Record<string, unknown>>) => exchange.row!(event) : () => undefined;
        const look = (one: OpenConnection) => sight(one, asked);
        return { count: await view.watch({ sight: look, once, packets, asking, signal: ended.signal, row }) };
      } finally {
        cancel?.();
      }
    },

    LINGER({ session, person }, { which, ms, silent = false }) {
      const view = viewOrError();
      const found = [...view.connections()].find(({ id }) => id === which);
      if (!found || !isOwn(found, { session, person }) || !view.hold(which, ms, silent)) {
        throw new HubError('no-user', `you have no connection ${which} that can wait; WIRE lists yours`);
      }
      return { which, ms };
    },
  };

  function mayList(connection: OpenConnection, asked: Asked): boolean {
    const { which, person } = asked;
    const isNamed = which === undefined || connection.id === which || connection.port === which;
    return isNamed && (person.isAdmin || isOwn(connection, asked));
  }
}

/** The watched, by connection: whoever was told that it is looked into. */
class ToldPeople {
  readonly #domain: Domain;
  readonly #sessionOf: (connection: OpenConnection) => LiveSession | undefined;
  readonly #told = new WeakMap<LiveSession, Set<string>>();

  constructor(domain: Domain, sessionOf: (connection: OpenConnection) => LiveSession | undefined) {
    this.#domain = domain;
    this.#sessionOf = sessionOf;
  }

  has(connection: OpenConnection): boolean {
    const session = this.#sessionOf(connection);
    return session !== undefined && this.#told.get(session)?.has(connection.id) === true;
  }

  /** Error: `forbidden` where nobody would read it. */
  async tell(view: WireView, { which, person }: Asked): Promise<void> {
    const connection = [...view.connections()].find(({ id }) => id === which);
    const session = connection && this.#sessionOf(connection);
    if (!connection || !session?.person || session.person.principal === person.principal) return;
    const hearers = this.#domain.presence
      .sessionsOf(session.person.principal)
      .filter(({ sink }) => sink && sink.isDeaf !== true);
    if (hearers.length === 0) {
      throw new HubError(
        'forbidden',
        `${session.person.name} is only where no notice can be shown; without contents=1 you may watch`,
      );
    }
    tellAll(new Set(hearers), {
      event: 'NOTICE',
      text: `${person.name}, an administrator, reads along on your connection ${connection.id} from here on`,
    });
    const ids = this.#told.get(session) ?? new Set();
    this.#told.set(session, ids.add(connection.id));
  }
}

function endOf(session: LiveSession, asked: AbortSignal | undefined) {
  const over = new AbortController();
  const signals = [session.signal, over.signal, ...(asked ? [asked] : [])];
  return { signal: AbortSignal.any(signals), end: () => over.abort() };
}

function listed(connection: OpenConnection, person: Person | undefined, asking: string | undefined) {
  const { id, wire, secure, peer, local, sinceMs, received, sent, of } = connection;
  return {
    id,
    wire,
    ...(of !== undefined && { of }),
    ...(person && { user: person.name }),
    peer,
    local,
    ...(secure && { secure }),
    since: formatTime(sinceMs),
    received,
    sent,
    ...(id === asking && { this: true }),
  };
}
