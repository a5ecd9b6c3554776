/**
 * The captured segments of one connection, as events: numbers counted from the first, and what is said in them only as
 * the application understood it, secrets taken out. One whose octets the application has not read yet waits for that.
 */
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import type { Conversation } from './conversation.ts';
import type { Side } from './messages.ts';
import type { Segment } from './segments.ts';

interface Waiting {
  readonly segment: Segment;
  readonly side: Side;
  /** In the stream of its side, from 0. */
  readonly start: number;
  readonly end: number;
  readonly sinceMs: number;
}

/** Longer nobody waits for an application. */
const patienceMs = 400;
const recheckMs = 20;
const stars = 0x2a;

export class Captured {
  readonly #conversation: Conversation;
  readonly #clock: Clock;
  readonly #queue: Waiting[] = [];
  readonly #first: Partial<Record<Side, number>> = {};
  /** The first segment was seen, so that places in the stream are known. */
  #isWhole = false;
  #isWaiting = false;
  /** Behind the FIN of each side; whose was acknowledged. */
  readonly #ends: Partial<Record<Side, number>> = {};
  readonly #acknowledged = new Set<Side>();
  #isReset = false;

  constructor(conversation: Conversation, clock: Clock) {
    this.#conversation = conversation;
    this.#clock = clock;
  }

  take(segment: Segment): void {
    const { seq, length, flags, fromPort, toPort } = segment;
    const side: Side = fromPort === this.#conversation.observed.ends.peer.port ? 'client' : 'server';
    if (fromPort === toPort) return;
    const isSyn = flags.includes('SYN');
    if (isSyn) this.#isWhole = this.#conversation.isNew;
    const first = isSyn ? seq : (this.#first[side] ?? seq - 1);
    this.#first[side] = first;
    const start = ((seq - first) >>> 0) - 1;
    if (this.#queue.length >= limits.wireEventsMax) this.#queue.shift();
    this.#queue.push({ segment, side, start, end: start + length, sinceMs: this.#clock.now() });
    this.#pump();
  }

  /** The last segment was told. */
  get isComplete(): boolean {
    return this.#queue.length === 0 && (this.#isReset || this.#acknowledged.size === 2);
  }

  #pump(): void {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      if (this.#mustWait(next)) return this.#waitOn();
      this.#queue.shift();
      this.#tell(next);
    }
  }

  #mustWait({ segment, side, end, sinceMs }: Waiting): boolean {
    if (segment.length === 0 || !this.#isKnown) return false;
    return this.#conversation.spoken[side].end < end && this.#clock.now() - sinceMs < patienceMs;
  }

  /** What is said can be looked up by its place. */
  get #isKnown(): boolean {
    return this.#isWhole && this.#conversation.isUnderstood;
  }

  #waitOn(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#clock.after(recheckMs, () => {
      this.#isWaiting = false;
      this.#pump();
    });
  }

  #tell({ segment, side, start, end }: Waiting): void {
    const { atMs, flags, seq, ack, window, length, options } = segment;
    const other: Side = side === 'client' ? 'server' : 'client';
    if (flags.includes('ACK')) this.#first[other] ??= ack - 1;
    if (flags.includes('FIN')) this.#ends[side] = (seq + length + 1) >>> 0;
    if (flags.includes('RST')) this.#isReset = true;
    if (flags.includes('ACK') && ack === this.#ends[other]) this.#acknowledged.add(other);
    const known = this.#isKnown && length > 0 ? this.#conversation.spoken[side].between(start, end) : undefined;
    this.#conversation.tell({
      kind: 'segment',
      atMs,
      side,
      source: 'pcap',
      confidence: 'observed',
      flags: flags.join(),
      seq: (seq - this.#first[side]!) >>> 0,
      ...(flags.includes('ACK') && { ack: (ack - this.#first[other]!) >>> 0 }),
      len: length,
      window,
      ...segment.headers,
      ...(options !== '' && { options }),
      ...(known && { text: known.text }),
      packet: masked(segment, this.#conversation.observed.secure || known?.isClean === true),
    });
  }
}

/** For export, cut to what a reader of headers needs, and without what it does not. */
function masked({ octets, payloadAt }: Segment, isClean: boolean): Buffer {
  const packet = Buffer.from(octets.subarray(0, limits.wirePacketOctetsMax));
  if (!isClean) packet.fill(stars, payloadAt);
  return packet;
}
