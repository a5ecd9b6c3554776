/** The hub put together: every command of table 1 behind one door that parses, authorises and runs. */
import { formatTime } from '../../shared/clock.ts';
import type { Command } from '../../shared/commands/command.ts';
import { parseFields } from '../../shared/commands/fields.ts';
import { type CommandName, commands, type OutputOf } from '../../shared/commands/index.ts';
import { HubError } from '../../shared/errors.ts';
import { accessHandlers } from './access.ts';
import { audit } from './audit.ts';
import { Blocks } from './blocks.ts';
import { DirectRooms } from './direct-rooms.ts';
import { fileHandlers } from './files.ts';
import type { Call, Domain, Handlers } from './handlers.ts';
import type { Hub } from './hub.ts';
import { Ignores } from './ignores.ts';
import { Rooms } from './live-rooms.ts';
import { LiveSession } from './live-session.ts';
import { messageHandlers } from './messages.ts';
import { rightsHandlers } from './moderation.ts';
import { peopleHandlers } from './people.ts';
import { demand, demandDirect } from './permissions.ts';
import { pieceHandlers } from './pieces.ts';
import { Presence } from './presence.ts';
import { Quotas, quotaHandlers } from './quotas.ts';
import { ReadMarks } from './read-marks.ts';
import { Retention, retentionHandlers } from './retention.ts';
import { foundRooms, roomHandlers } from './rooms.ts';
import { searchHandlers } from './search.ts';
import type { Exchange, Origin, Session, Sink } from './session.ts';
import { statsHandlers } from './stats.ts';
import { talkHandlers } from './talk.ts';
import { UploadShelf } from './upload-shelf.ts';
import { uploadHandlers } from './uploads.ts';
import { watchHandlers } from './watches.ts';
import { Webhooks } from './webhooks.ts';
import { whereaboutsHandlers } from './whereabouts.ts';
import { wireHandlers } from './wire.ts';

/** What the hub makes for itself. */
type Own =
  | 'rooms'
  | 'guests'
  | 'endings'
  | 'sessions'
  | 'blocks'
  | 'presence'
  | 'ignores'
  | 'reads'
  | 'directs'
  | 'published'
  | 'stamp';
export type HubOptions = Omit<Domain, Own>;

/** Loads what the store holds, makes the lobby on a first start. */
export async function createHub(host: HubOptions): Promise<Hub> {
  const sessions = new Map<string, LiveSession>();
  const guests = new Map<string, LiveSession>();
  const presence = new Presence(sessions);
  const domain: Domain = {
    ...host,
    sessions,
    blocks: await Blocks.load({ ...host, sessions }),
    presence,
    ignores: await Ignores.load({ ...host, presence }),
    reads: new ReadMarks({ ...host, presence }),
    directs: await DirectRooms.load({ ...host, presence, guests }),
    rooms: new Rooms(host.clock, host.settings.homeOctets),
    guests,
    endings: new Set([session => void sessions.delete(session.id), session => presence.ended(session)]),
    published: new Set(),
    stamp: stampPerSecond(),
  };
  await domain.rooms.load(domain.store);
  await foundRooms(domain);
  const shelf = await UploadShelf.load(domain);
  const quotas = new Quotas(domain, shelf);
  const webhooks = await Webhooks.load(domain);
  const handlers: Handlers = {
    ...(await peopleHandlers(domain)),
    ...roomHandlers(domain),
    ...messageHandlers(domain),
    ...talkHandlers(domain),
    ...whereaboutsHandlers(domain),
    ...searchHandlers(domain),
    ...fileHandlers(domain, quotas),
    ...uploadHandlers(domain, shelf, quotas),
    ...pieceHandlers(domain, shelf),
    ...watchHandlers(domain),
    ...quotaHandlers(domain),
    ...rightsHandlers(domain),
    ...retentionHandlers(domain),
    ...webhooks.handlers(),
    ...accessHandlers(domain),
    ...statsHandlers(domain),
    ...wireHandlers(domain),
  };
  const retention = new Retention(domain);
  return new LiveHub(domain, handlers, async () => {
    await Promise.all([retention.stop(), webhooks.stop()]);
  });
}

/** Formatting a date costs more than all else of a message's event, and most messages share their second. */
function stampPerSecond(): (timeMs: number) => string {
  let second = -1;
  let text = '';
  return timeMs => {
    const now = Math.floor(timeMs / 1000);
    if (now !== second) {
      second = now;
      text = formatTime(timeMs);
    }
    return text;
  };
}

const nothing: Exchange = {};

class LiveHub implements Hub {
  readonly name: string;
  readonly #domain: Domain;
  readonly #handlers: Handlers;
  /** What the hub does without being asked. */
  readonly #stopTasks: () => Promise<void>;
  #running = 0;
  #isDraining = false;
  #drained: (() => void) | undefined;

  constructor(domain: Domain, handlers: Handlers, stopTasks: () => Promise<void>) {
    this.name = domain.name;
    this.#domain = domain;
    this.#handlers = handlers;
    this.#stopTasks = stopTasks;
  }

  connect(origin: Origin): Session {
    if (this.#isDraining) throw new HubError('shutting-down');
    const { random, clock, endings, sessions, blocks, presence } = this.#domain;
    blocks.demandNone(`address:${origin.address}`);
    const session = new LiveSession(random.token(9), origin, clock.now(), endings, presence);
    sessions.set(session.id, session);
    return session;
  }

  async execute<N extends CommandName>(
    session: Session,
    name: N,
    fields: unknown,
    exchange: Exchange = nothing,
  ): Promise<OutputOf<N>> {
    if (this.#isDraining) throw new HubError('shutting-down', 'the server is going down; come back in a minute');
    this.#running++;
    try {
      return await this.#run(this.#own(session), name, fields, exchange);
    } finally {
      this.#running--;
      if (this.#running === 0) this.#drained?.();
    }
  }

  #run<N extends CommandName>(session: LiveSession, name: N, fields: unknown, exchange: Exchange) {
    const entry: Command = commands[name];
    const { person } = session;
    if (session.hasEnded) throw new HubError('cancelled', 'the session has ended');
    if (!person && !entry.open)
      throw new HubError('auth-required', 'give a name first: NICK name, or LOGIN name :password');
    const input = parseFields(name, entry, fields);
    const room = person && entry.needs && this.#authorise(person, entry.needs, input);
    // What `needs` and `open` promise is kept here, so handlers need not ask again.
    const call = { session, person, room, exchange } as Call;
    const output = this.#handlers[name](call, input as never);
    return entry.audit ? this.#audited(session, name, entry.audit, input, output) : output;
  }

  async #audited<T>(
    session: LiveSession,
    name: string,
    fields: readonly string[],
    input: object,
    output: T | Promise<T>,
  ) {
    const result = await output;
    await audit(this.#domain, session, name, fields, input);
    return result;
  }

  #authorise(person: Call['person'], [action, field]: NonNullable<Command['needs']>, input: Record<string, unknown>) {
    const value = String(input[field]);
    if (value === '/' && (action === 'list' || action === 'see')) return undefined;
    const { rooms, directs } = this.#domain;
    if (value.startsWith('@')) {
      const room = directs.get(person, value);
      demandDirect(person, action);
      return room;
    }
    const room = value.startsWith('/')
      ? rooms.ofPath(value)
      : value.startsWith('~')
        ? rooms.home(value)
        : rooms.get(value);
    demand(person, action, room.rights);
    return room;
  }

  subscribe(session: Session, sink: Sink | undefined): void {
    this.#own(session).sink = sink;
  }

  disconnect(session: Session): void {
    this.#own(session).end();
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    if (this.#running > 0) {
      await new Promise<void>(resolve => {
        this.#drained = resolve;
      });
    }
    await this.#stopTasks();
    await this.#domain.reads.flush();
  }

  #own(session: Session): LiveSession {
    if (session instanceof LiveSession) return session;
    throw new Error('this session was not made by this hub');
  }
}
