/**
 * Plays a transcript against a server: sends its C lines in one of three ways and demands its S lines, in order and
 * exactly. Where the connections come from, and whether they are TLS, is the caller's affair.
 */
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DEADLINE_MS, Inbox, withDeadline } from './inbox.ts';
import { cutRandomly, freshSeed, type Random, seededRandom, showOctets } from './octets.ts';
import type { Part, Step, Transcript } from './transcript.ts';

/** All C lines between two S lines in one write, one octet at a time, or in pieces of random size. */
export const MODES = ['whole', 'octet', 'pieces'] as const;
export type Mode = (typeof MODES)[number];

export interface PlayOptions {
  /**
   * Opens the connection of a person on their first line; it must stay half-open after the server's FIN. What was captured
   * so far may say where to: `data1` can be a connection to the port that `{port1=…}` was.
   */
  readonly connect: (who: string, captured: ReadonlyMap<string, string>) => Promise<Duplex>;
  /** Default: whole. */
  readonly mode?: Mode;
  /** Of the pieces; printed when the play fails. Default: a fresh one. */
  readonly seed?: number;
  /** What ends every line that is sent, and must end every line that comes. Default: LF. */
  readonly lineEnd?: '\n' | '\r\n';
  /** Of each wait. */
  readonly deadlineMs?: number;
  /** Told each line of the conversation as it happens. */
  readonly onLine?: (line: string) => void;
}

/** The server said something else than the transcript; the message has the line, both texts and what went before. */
export class PlayError extends Error {
  override readonly name = 'PlayError';
}

type Send = Step & { readonly kind: 'send' };
type Expect = Step & { readonly kind: 'expect' };
type Captured = Readonly<Record<string, string>>;

interface Peer {
  readonly stream: Duplex & { readonly resetAndDestroy?: () => unknown };
  readonly inbox: Inbox;
}

interface Play {
  readonly options: PlayOptions;
  readonly lineEnd: Buffer;
  readonly deadlineMs: number;
  readonly random: Random;
  readonly peers: Map<string, Peer>;
  /** Captured octets, one character each. */
  readonly captures: Map<string, string>;
  readonly conversation: string[];
}

const CONVERSATION_LINES_MAX = 20;
const SHOWN_CHARACTERS_MAX = 300;

/** Long lines only by their beginning. */
const clip = (text: string): string =>
  text.length <= SHOWN_CHARACTERS_MAX ? text : `${text.slice(0, SHOWN_CHARACTERS_MAX)}… (${text.length} characters)`;

const record = (play: Play, step: Step, side: 'C' | 'S', text: string): void => {
  const line = `${step.who} ${side}: ${text}`;
  play.conversation.push(line);
  play.options.onLine?.(line);
};

const peerOf = async (play: Play, who: string): Promise<Peer> => {
  const known = play.peers.get(who);
  if (known !== undefined) return known;
  const stream = await withDeadline(
    `a connection for ${who}`,
    play.options.connect(who, play.captures),
    play.deadlineMs,
  );
  const peer = { stream, inbox: new Inbox(stream, play.deadlineMs) };
  play.peers.set(who, peer);
  return peer;
};

const octetsOf = (part: Part, play: Play): Buffer =>
  part.kind === 'octets'
    ? part.octets
    : Buffer.from(part.kind === 'name' ? (play.captures.get(part.name) ?? '') : '', 'latin1');

const literal = (octets: Buffer): string => octets.toString('latin1').replace(/[^a-zA-Z0-9 ]/g, '\\$&');

/** What a line captured, or undefined where it does not match; patterns see one character for each octet. */
const matchLine = (parts: readonly Part[], octets: Buffer, play: Play): Captured | undefined => {
  if (!parts.some(part => part.kind === 'capture')) {
    return Buffer.concat(parts.map(part => octetsOf(part, play))).equals(octets) ? {} : undefined;
  }
  const sources = parts.map(part => {
    if (part.kind !== 'capture') return literal(octetsOf(part, play));
    const pattern = Buffer.from(part.pattern, 'utf8').toString('latin1');
    return part.name === undefined ? `(?:${pattern})` : `(?<${part.name}>${pattern})`;
  });
  const match = new RegExp(`^${sources.join('')}$`, 's').exec(octets.toString('latin1'));
  return match === null ? undefined : { ...match.groups };
};

/** Resolves when the system took the octets, or the stream failed: then the next S line tells. */
const write = (play: Play, stream: Duplex, octets: Buffer): Promise<void> => {
  const written = new Promise<void>(resolve => {
    if (stream.writable) stream.write(octets, () => resolve());
    else resolve();
  });
  return withDeadline('the server to read', written, play.deadlineMs);
};

const sendOctets = async (play: Play, stream: Duplex, octets: Buffer): Promise<void> => {
  const mode = play.options.mode ?? 'whole';
  if (mode === 'whole') return write(play, stream, octets);
  for (const piece of cutRandomly(octets, play.random, mode === 'octet' ? 1 : 16)) {
    await write(play, stream, piece);
    await nextTurn();
  }
};

const send = async (play: Play, steps: readonly Send[]): Promise<void> => {
  const octets = steps.flatMap(step => {
    const text = step.parts.map(part => octetsOf(part, play));
    record(play, step, 'C', showOctets(Buffer.concat(text)) + (step.hasLineEnd ? '' : '<no-eol>'));
    return step.hasLineEnd ? [...text, play.lineEnd] : text;
  });
  const { stream } = await peerOf(play, steps[0]?.who ?? '');
  await sendOctets(play, stream, Buffer.concat(octets));
};

/** The next line without its end; whatever is left over before FIN is a line as well, marked. */
const nextLine = async (inbox: Inbox, lineEnd: Buffer): Promise<{ octets: Buffer; ending: string }> => {
  const octets = await inbox.when(
    'a line',
    () => inbox.takeLine() ?? (inbox.ended && inbox.length > 0 ? inbox.take(inbox.length) : undefined),
  );
  const hasEnd = octets.subarray(-lineEnd.length).equals(lineEnd);
  return hasEnd
    ? { octets: octets.subarray(0, -lineEnd.length), ending: '' }
    : { octets, ending: ` (does not end in ${showOctets(lineEnd)})` };
};

const expectLine = async (play: Play, step: Expect, inbox: Inbox): Promise<void> => {
  const { octets, ending } = await nextLine(inbox, play.lineEnd);
  const shown = showOctets(octets) + ending;
  record(play, step, 'S', shown);
  const captured = ending === '' ? matchLine(step.parts, octets, play) : undefined;
  if (captured === undefined) throw new Error(`came      S: ${shown}`);
  for (const [name, value] of Object.entries(captured)) play.captures.set(name, value);
};

const expectOctets = async (play: Play, step: Expect, inbox: Inbox): Promise<void> => {
  const wanted = Buffer.concat(step.parts.map(part => octetsOf(part, play)));
  await inbox.when(`${wanted.length} octets`, () => inbox.length >= wanted.length || undefined);
  const came = inbox.take(wanted.length);
  record(play, step, 'S', `${showOctets(came)}<no-eol>`);
  if (!came.equals(wanted)) throw new Error(`came      S: ${showOctets(came)}<no-eol>`);
};

const expectNothingMore = (inbox: Inbox): void => {
  if (inbox.length > 0) throw new Error(`came      S: ${showOctets(inbox.takeLine() ?? inbox.peek())}`);
};

const playStep = async (play: Play, step: Exclude<Step, Send>): Promise<void> => {
  const { stream, inbox } = await peerOf(play, step.who);
  switch (step.kind) {
    case 'expect':
      return step.hasLineEnd ? expectLine(play, step, inbox) : expectOctets(play, step, inbox);
    case 'expect-fin':
      await inbox.when('FIN', () => inbox.ended || inbox.length > 0 || undefined);
      expectNothingMore(inbox);
      return record(play, step, 'S', '<FIN>');
    case 'expect-reset':
      await inbox.whenClosed();
      expectNothingMore(inbox);
      if (!inbox.wasReset) throw new Error('came      S: <FIN>');
      return record(play, step, 'S', '<RST>');
    case 'send-fin':
      record(play, step, 'C', '<FIN>');
      stream.end();
      return;
    case 'send-reset':
      record(play, step, 'C', '<RST>');
      if (stream.resetAndDestroy === undefined) throw new Error('this connection cannot be reset');
      stream.resetAndDestroy();
      return;
    default:
      step satisfies never;
  }
};

/** Nothing that no line accounts for may be left, and nobody may have been reset without being told. */
const checkEnd = (play: Play, transcript: Transcript): void => {
  for (const [who, { inbox }] of play.peers) {
    const mayFail = transcript.steps.some(step => step.who === who && step.kind.endsWith('-reset'));
    if (inbox.error !== undefined && !mayFail) throw new Error(`${who}: the connection failed (${inbox.error.code})`);
    if (inbox.length > 0) throw new Error(`came      ${who} S: ${showOctets(inbox.takeLine() ?? inbox.peek())}`);
  }
};

const failure = (
  play: Play,
  transcript: Transcript,
  step: Step | undefined,
  seed: number,
  error: unknown,
): PlayError => {
  const mode = play.options.mode ?? 'whole';
  const where = `${transcript.name}:${step?.line ?? 'end'} (${mode}${mode === 'pieces' ? `, seed ${seed}` : ''})`;
  const side = step?.kind.startsWith('send') ? 'C' : 'S';
  const wanted = step === undefined ? 'nothing more' : `${side}: ${step.source}`;
  const before = play.conversation.slice(-CONVERSATION_LINES_MAX).map(line => `    ${clip(line)}`);
  const what = [`expected  ${wanted}`, (error as Error).message, 'conversation:'].map(line => `  ${clip(line)}`);
  return new PlayError([where, ...what, ...before].join('\n'));
};

/** The sends from `at` on that one person makes without waiting for an answer. */
const sendsFrom = (steps: readonly Step[], at: number): readonly Send[] => {
  const sends: Send[] = [];
  const who = steps[at]?.who;
  for (let step = steps[at]; step?.kind === 'send' && step.who === who; step = steps[++at]) sends.push(step);
  return sends;
};

/**
 * Plays all steps in the order of the file, so that everything above a C line has been seen before it is sent.
 * Rejects with a PlayError at the first difference; connections are destroyed in either case.
 */
export const playTranscript = async (transcript: Transcript, options: PlayOptions): Promise<void> => {
  const seed = options.seed ?? freshSeed();
  const play: Play = {
    options,
    lineEnd: Buffer.from(options.lineEnd ?? '\n'),
    deadlineMs: options.deadlineMs ?? DEADLINE_MS,
    random: seededRandom(seed),
    peers: new Map(),
    captures: new Map(),
    conversation: [],
  };
  let step: Step | undefined;
  try {
    for (let at = 0; at < transcript.steps.length; ) {
      step = transcript.steps[at]!;
      const sends = sendsFrom(transcript.steps, at);
      if (step.kind === 'send') await send(play, sends);
      else await playStep(play, step);
      at += Math.max(1, sends.length);
    }
    step = undefined;
    checkEnd(play, transcript);
  } catch (error) {
    throw failure(play, transcript, step, seed, error);
  } finally {
    for (const { stream } of play.peers.values()) stream.destroy();
  }
};
