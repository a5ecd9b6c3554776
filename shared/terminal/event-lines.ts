/** Events of the hub as lines for people. What belongs to somebody is a span of its own, so that screens can colour it. */
import type { EventOf, HubEvent } from '../events.ts';
import { type Line, line, span } from './line.ts';

export interface Telling {
  /** Whole sentences, nothing by position alone: for screen readers. */
  readonly isSpoken: boolean;
  /** Named in lines only where it is another one. */
  readonly room: string | undefined;
}

const person = (name: string) => span('person', name);

/** What is shown of an event, none for what only programs need. */
export function eventLines(event: HubEvent, telling: Telling): readonly Line[] {
  const shown = describe(event, telling);
  if (!shown) return [];
  const room = 'room' in event ? event.room : undefined;
  if (room === undefined || room === telling.room) return shown;
  return shown.map(one => [span('quiet', `#${room} `), ...one]);
}

function describe(event: HubEvent, { isSpoken }: Telling): readonly Line[] | undefined {
  switch (event.event) {
    case 'MSG':
      return messageLines(event, isSpoken);
    case 'EDITED':
      return [stamped(event.time, isSpoken, line`${person(event.from)} changed message ${event.of}: ${event.text}`)];
    case 'DELETED':
      return [stamped(event.time, isSpoken, line`${person(event.from)} took message ${event.of} back`)];
    case 'REACTED':
      return [
        stamped(
          event.time,
          isSpoken,
          line`${person(event.from)} ${event.removed ? 'no longer reacts' : 'reacts'} to message ${event.of} with ${event.emoji}`,
        ),
      ];
    case 'TOPIC':
      return [stamped(event.time, isSpoken, line`${person(event.from)} set the topic: ${span('strong', event.text)}`)];
    case 'FILE':
      return [stamped(event.time, isSpoken, fileLine(event))];
    case 'JOINED':
      return [quiet(event.user, 'came')];
    case 'PARTED':
      return [quiet(event.user, 'left')];
    case 'RENAMED':
      return [[...quiet(event.user, 'is now'), span('person', ` ${event.to}`)]];
    case 'MENTION':
      return [[span('note', `${event.from} names you in #${event.room}, message ${event.seq}`)]];
    case 'GAP':
      return [[span('note', `messages ${event.from} to ${event.to} were skipped; /history shows them`)]];
    case 'NOTICE':
      return [[span('note', event.text)]];
    default:
      return undefined;
  }
}

function messageLines(event: EventOf<'MSG'>, isSpoken: boolean): readonly Line[] {
  const [first = '', ...more] = event.deleted ? ['(taken back)'] : event.text.split('\n');
  const reply = event.reply === undefined ? '' : isSpoken ? ` in reply to ${event.reply}` : ` ↪${event.reply}`;
  const says = isSpoken ? ' says' : '';
  const guest = event.guest && !isSpoken ? [span('quiet', '~')] : [];
  const name = [...guest, person(event.from), span('quiet', `${says}${reply}`)];
  const reactions = event.reactions ? [span('quiet', `  ${event.reactions.replaceAll(',', ' ')}`)] : [];
  const head = stamped(event.time, isSpoken, [
    ...name,
    span('text', `: ${first}`),
    ...(more.length === 0 ? reactions : []),
  ]);
  const rest = more.map((text, i) => [span('text', `  ${text}`), ...(i === more.length - 1 ? reactions : [])]);
  return [head, ...rest];
}

const fileWords = { put: 'put', move: 'moved', remove: 'removed', mkdir: 'made the folder' } as const;

function fileLine({ from, op, path, to, size }: EventOf<'FILE'>): Line {
  const target = to === undefined ? '' : ` to ${to}`;
  const octets = size === undefined ? '' : ` (${formatOctets(size)})`;
  return line`${person(from)} ${fileWords[op]} ${span('file', path)}${target}${octets}`;
}

/** `12 octets`, `3.4 MiB` */
export function formatOctets(octets: number): string {
  if (octets < 1024) return `${octets} octets`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.floor(Math.log2(octets) / 10), units.length);
  return `${(octets / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}

function quiet(name: string, what: string): Line {
  return [span('quiet', '* '), person(name), span('quiet', ` ${what}`)];
}

/** Hours and minutes in UTC, as the transcripts have them. */
function stamped(time: string, isSpoken: boolean, shown: Line): Line {
  return isSpoken ? shown : [span('quiet', `${time.slice(11, 16)} `), ...shown];
}
