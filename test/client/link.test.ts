/** One connection of the client without any socket: labels, rows, the end, silence, and whatever octets a server may send. */
import * as fc from 'fast-check';
import t from 'tap';
import { PartylineError, TruncatedError } from '../../client/errors.ts';
import { lineWay } from '../../client/line-way.ts';
import { Link } from '../../client/link.ts';
import type { TransportEvents } from '../../client/transport.ts';
import type { Clock } from '../../shared/clock.ts';
import type { HubEvent } from '../../shared/events.ts';
import { hostileOctets, piecesOf } from '../support/generators.ts';

/** Time that passes only when told to. */
class VirtualClock implements Clock {
  #nowMs = 1_000_000;
  #timers: { atMs: number; run: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer);
    };
  }

  soon(run: () => void): void {
    queueMicrotask(run);
  }

  get timers(): number {
    return this.#timers.length;
  }

  pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.#timers = this.#timers.filter(other => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = untilMs;
  }
}

async function openLink() {
  const clock = new VirtualClock();
  const sent: string[] = [];
  const heard: HubEvent[] = [];
  const ends: (Error | undefined)[] = [];
  const state = { isPaused: false, isDestroyed: false, hasEnded: false };
  let way: TransportEvents | undefined;
  const opening = Link.open(
    lineWay(async events => {
      way = events;
      return {
        write: parts => void sent.push(parts.map(part => Buffer.from(part).toString()).join('')),
        pause: () => void (state.isPaused = true),
        resume: () => void (state.isPaused = false),
        end: () => void (state.hasEnded = true),
        destroy: () => void (state.isDestroyed = true),
      };
    }),
    clock,
    { event: event => void heard.push(event), over: error => void ends.push(error) },
  );
  await Promise.resolve();
  const say = (text: string | Uint8Array) => way!.data(Buffer.from(text));
  say('* PARTYLINE/1 hub=den\n');
  const { link, greeting } = await opening;
  const ask = (verb: 'PING' | 'LS' | 'GET' | 'SAY', input = {}, options = {}) => link.request(verb, input, options);
  return { clock, sent, heard, ends, state, link, greeting, say, ask, endInput: () => way!.end() };
}

t.test('replies find their requests by label, in any order and in any pieces', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }).chain(count =>
        fc.tuple(
          fc.constant(count),
          fc.shuffledSubarray(
            Array.from({ length: count }, (_, n) => n),
            { minLength: count },
          ),
          fc.integer(),
        ),
      ),
      async ([count, order, seed]) => {
        const { ask, say, sent } = await openLink();
        const answers = Array.from({ length: count }, (_, n) => ask('PING', { token: `t${n}` }));
        const replies = order.map(n => `${sent[n]!.split(' ')[0]} + PING token=t${n}\n`).join('');
        for (const piece of fc.sample(piecesOf(Buffer.from(replies)), { numRuns: 1, seed })[0]!) say(piece);
        t.strictSame(
          await Promise.all(answers),
          Array.from({ length: count }, (_, n) => ({ token: `t${n}` })),
        );
      },
    ),
    { numRuns: 30 },
  );
});

t.test('whatever a server sends, nothing is thrown at the socket and every request is settled at the end', async t => {
  let settled = 0;
  const piece = fc.oneof(
    hostileOctets(),
    fc
      .tuple(
        fc.constantFrom('#1 ', '#2 ', '#3 ', ''),
        fc.constantFrom('', '{3} '),
        fc.constantFrom('+ PING', '- PING busy', '= LS name=x', '= GET offset=0', '* MSG room=a', '* BYE replies=1'),
        fc.constantFrom('\n', '\r\n', ' :text\n', ' token="\n', '\n\xff\xfe\xfd\n', '\nabc\n', '\nabcd'),
      )
      .map(parts => Buffer.from(parts.join(''), 'latin1')),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async pieces => {
      const { ask, say, endInput, ends } = await openLink();
      const onRow = () => undefined;
      const asked = [ask('PING'), ask('LS', { path: '/' }, { onRow }), ask('GET', { path: '/lobby/a' }, { onRow })];
      for (const octets of pieces) say(octets);
      endInput();
      settled += (await Promise.allSettled(asked)).length;
      t.equal(ends.length, 1);
    }),
    { numRuns: 400 },
  );
  t.equal(settled, 1200);
});

t.test('a taker of rows that fails ends its own request and no other', async t => {
  const { ask, say, sent } = await openLink();
  const wrong = ask('LS', { path: '/' }, { onRow: () => undefined });
  const rejected = ask('LS', { path: '/lobby' }, { onRow: () => Promise.reject(new Error('disk full')) });
  const thrown = ask(
    'LS',
    { path: '/den' },
    {
      onRow: () => {
        throw new Error('no such column');
      },
    },
  );
  const other = ask('PING', { token: 'x' });
  say('#3 = LS name=b\n#2 = LS name=a\n#4 + PING token=x\n#1 + LS count=0\n');
  await t.rejects(rejected, /disk full/);
  await t.rejects(thrown, /no such column/);
  t.same(await other, { token: 'x' });
  t.same(await wrong, { count: '0' });
  t.same(sent.slice(4), ['CANCEL 3\n', 'CANCEL 2\n']);
});

t.test('a slow taker of rows stops the reading, and the silence that follows is nobody’s fault', async t => {
  const { ask, say, clock, state } = await openLink();
  let go: (() => void) | undefined;
  const onRow = () => new Promise<void>(resolve => (go = resolve));
  const answer = ask('GET', { path: '/lobby/a' }, { onRow, timeoutMs: 1_000 });
  say('#1 {3} = GET offset=0\nabc\n#1 + GET size=3\n');
  t.ok(state.isPaused);
  clock.pass(60_000);
  go!();
  t.same(await answer, { size: '3' });
  t.notOk(state.isPaused);
});

t.test('a request times out by the silence of the server, not by its own length', async t => {
  const { ask, say, clock, sent } = await openLink();
  const answer = ask('LS', { path: '/' }, { timeoutMs: 1_000, onRow: () => undefined });
  for (let i = 0; i < 5; i++) {
    clock.pass(900);
    say('#1 = LS name=a\n');
  }
  const failed = t.rejects(answer, { code: 'timeout', verb: 'LS', label: '1' });
  clock.pass(1_000);
  await failed;
  t.equal(sent.at(-1), 'CANCEL 1\n');
  const next = ask('PING', { token: 'still here' });
  say('#1 - LS cancelled\n#2 + PING token="still here"\n');
  t.same(await next, { token: 'still here' });
});

t.test('a connection that has died without a word is given up', async t => {
  const { ask, link, clock, say, ends, state } = await openLink();
  link.expectLife(90_000);
  const answer = t.rejects(ask('PING', {}, { timeoutMs: 600_000 }), TruncatedError);
  clock.pass(80_000);
  say('* PING\n');
  clock.pass(80_000);
  t.same(ends, []);
  clock.pass(10_001);
  await answer;
  t.ok(state.isDestroyed);
  t.equal(clock.timers, 0);
});

t.test('any number of requests cost one timer', async t => {
  const { ask, clock } = await openLink();
  for (let n = 0; n < 1_000; n++) ask('PING', {}, { timeoutMs: 30_000 + (n % 7) }).catch(() => undefined);
  t.ok(clock.timers <= 1, `${clock.timers} timers`);
});

t.test('the end is checked: BYE must come, and count the replies that came', async t => {
  for (const [bye, told] of [
    ['* BYE reason=quit replies=1\n', undefined],
    ['* BYE reason=quit replies=2\n', /2 replies, 1 came/],
    ['', /without BYE/],
  ] as const) {
    const { ask, link, say, endInput, sent, state } = await openLink();
    const answer = ask('PING');
    const finished = link.finish();
    t.equal(sent.at(-1), 'QUIT\n');
    await t.rejects(ask('PING'), TruncatedError);
    say(`#1 + PING\n${bye}`);
    t.equal(state.hasEnded, bye !== '');
    endInput();
    t.same(await answer, {});
    if (told) (await t.rejects(finished, new TruncatedError(''))) && (await t.rejects(finished, told));
    else await finished;
  }
});

t.test('a refusal carries its code, its class and how long to wait', async t => {
  const { ask, say } = await openLink();
  const answer = ask('SAY', { room: 'lobby', text: 'x' });
  say('#1 - SAY rate-limited retry=3 :slowly\n');
  const error = await answer.catch(failure => failure as PartylineError);
  t.ok(error instanceof PartylineError);
  t.match(error, { code: 'rate-limited', class: 'transient', verb: 'SAY', retryAfterMs: 3_000, message: 'slowly' });
});
