/** What the verbs of the line protocol itself do; each is given the connection it came on. */
import type { Command, Parsed } from '../../../shared/commands/command.ts';
import { usage } from '../../../shared/commands/command.ts';
import { commands } from '../../../shared/commands/index.ts';
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { Fields } from '../../../shared/line/grammar.ts';
import { type SessionVerb, sessionVerbs } from '../../../shared/line/session-verbs.ts';
import type { LineContext } from './context.ts';
import type { LineConnection } from './line-connection.ts';

type Row = (fields: Fields) => void;

/** Final fields, or undefined for a verb that is not answered. */
type VerbHandlers = {
  readonly [V in SessionVerb]: (
    line: LineConnection,
    input: Parsed<(typeof sessionVerbs)[V]>,
    row: Row,
  ) => Fields | undefined;
};

const capabilities = 'heartbeat,json,credit';

export function greetingFields({ hub, guests }: LineContext) {
  return {
    hub: hub.name,
    line: limits.lineOctetsMax,
    blob: limits.blobOctetsMax,
    auth: guests ? 'guest,login,token' : 'login,token',
    caps: capabilities,
  };
}

export const verbHandlers: VerbHandlers = {
  HELLO(line, { version, caps, format }) {
    if (version !== undefined && version !== '1') {
      throw new HubError('version', 'this server speaks version 1: HELLO 1');
    }
    const wanted = new Set(caps?.split(','));
    line.announce({ hasCredit: wanted.has('credit'), hasHeartbeat: wanted.has('heartbeat'), form: format ?? 'words' });
    return { version: 1, hub: line.context.hub.name, caps: capabilities };
  },
  CAPS(line) {
    const { chunkOctets: chunk, pieceOctets: piece, unansweredMax: unanswered } = limits;
    return { ...greetingFields(line.context), chunk, piece, unanswered };
  },
  HELP(_line, { verb }, row) {
    const all: Readonly<Record<string, Command>> = { ...sessionVerbs, ...commands };
    const asked = verb?.toUpperCase();
    const shown = Object.entries(all).filter(([name]) => asked === undefined || name === asked);
    if (shown.length === 0) throw new HubError('unknown-command', `there is no ${asked}; HELP lists all`);
    for (const [name, entry] of shown) row({ usage: usage(name, entry), text: entry.summary });
    return { count: shown.length };
  },
  PING: (_line, { token }) => ({ token }),
  LISTEN(line, { for: forMs, room, event }) {
    line.listen(room === undefined && !event ? undefined : { room, events: event }, forMs);
    return {};
  },
  TICKET(line, { n }, row) {
    const count = Math.min(n ?? 1, limits.ticketsMax);
    for (let i = 0; i < count; i++) row({ ticket: line.context.tickets.issue(line.owner) });
    return { count };
  },
  ATTACH(line, { ticket }) {
    return { session: line.attach(line.context.tickets.redeem(ticket, line)) };
  },
  CANCEL(line, { label }) {
    line.requests.cancel(label);
    return undefined;
  },
  CREDIT(line, { label, n }) {
    line.requests.allow(label, n);
    return undefined;
  },
  QUIT(line) {
    line.finish('quit');
    return {};
  },
};
