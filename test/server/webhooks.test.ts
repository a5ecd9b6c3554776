/** Webhooks at a real HTTP server on loopback: signed, in order, from where they stopped, and never in the way. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import t, { type Test } from 'tap';
import { postOverHttp } from '../../server/net/http-post.ts';
import { memoryStore } from '../../server/store/memory/store.ts';
import { limits } from '../../shared/limits.ts';
import { type TestHub, testHub } from '../support/hub.ts';
import { StillClock } from '../support/still-clock.ts';

const hour = 3_600_000;

interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: Record<string, unknown>;
}

interface Receiver {
  readonly url: string;
  readonly taken: Delivery[];
  /** With which status it answers; undefined never does. */
  status: number | undefined;
  /** Requests that came, taken or not. */
  asked: number;
  /** Resolves when so many requests have come. */
  when(asked: number): Promise<void>;
}

async function receiver(t: Test): Promise<Receiver> {
  let heard = () => {};
  const here: Receiver = {
    url: '',
    taken: [],
    status: 200,
    asked: 0,
    async when(asked) {
      while (here.asked < asked) await new Promise<void>(resolve => (heard = resolve));
    },
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    here.asked++;
    if (here.status === 200) here.taken.push({ headers: request.headers, body, event: JSON.parse(body) });
    if (here.status !== undefined) response.writeHead(here.status, { location: '/elsewhere' }).end('x'.repeat(100_000));
    heard();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP listener has an address');
  return Object.assign(here, { url: `http://127.0.0.1:${address.port}/hook` });
}

async function world(t: Test, store = memoryStore()): Promise<TestHub & { readonly clock: StillClock }> {
  const clock = new StillClock('2026-11-23T12:00:00Z');
  const made = await testHub({ clock, store, post: postOverHttp });
  t.teardown(() => made.hub.drain());
  return { ...made, clock };
}

t.test('each event of the rooms and kinds is posted once, in order, signed so that its receiver can tell', async t => {
  const { account, settle } = await world(t);
  const [ada, admin, http] = [await account('ada'), await account('admin'), await receiver(t)];
  await ada.do('CREATE', { room: 'den' });
  await ada.do('CREATE', { room: 'café' });
  await ada.do('SAY', { room: 'den', text: 'before' });
  const { id, secret } = await admin.do('WEBHOOK', { url: http.url, rooms: 'den,Café', events: 'msg,FILE' });
  await Promise.all(Array.from({ length: 250 }, (_, n) => ada.do('SAY', { room: 'den', text: `${n} “ä”` })));
  await ada.do('SAY', { room: 'lobby', text: 'elsewhere' });
  await ada.do('TOPIC', { room: 'den', topic: 'another kind' });
  await ada.put('/café/menu.txt', 'tea');
  await http.when(251);
  const den = http.taken.filter(({ event }) => event['room'] === 'den');
  t.same(
    den.map(({ event }) => event['seq']),
    Array.from({ length: 250 }, (_, n) => n + 2),
  );
  const file = http.taken.find(({ event }) => event['event'] === 'FILE')!;
  t.match(file.event, { room: 'café', path: '/café/menu.txt', op: 'put', size: 3 });
  t.match(file.headers, {
    'content-type': 'application/json',
    'x-partyline-event': 'FILE',
    'x-partyline-delivery': `${id}.caf%C3%A9.1`,
    'x-partyline-timestamp': '1795435200',
  });
  for (const { headers, body } of http.taken) {
    const mac = createHmac('sha256', secret).update(`${headers['x-partyline-timestamp']}.${body}`).digest('hex');
    if (headers['x-partyline-signature'] !== `sha256=${mac}`) t.fail(body);
  }
  t.equal(new Set(http.taken.map(({ headers }) => headers['x-partyline-delivery'])).size, 251);

  t.same(await admin.rows('WEBHOOKS', {}), [{ id, url: http.url, rooms: 'den,café', events: 'MSG,FILE' }]);
  await admin.do('UNHOOK', { id });
  await ada.do('SAY', { room: 'den', text: 'nobody is told' });
  await settle();
  t.equal(http.asked, 251);
  t.same(await admin.rows('WEBHOOKS', {}), []);
  const log = JSON.stringify(await admin.rows('HISTORY', { room: 'audit' }));
  t.match(log, `WEBHOOK url=${http.url} rooms=den,Café events=MSG,FILE`);
  t.notMatch(log, secret);
});

t.test(
  'what is not taken is tried again, longer and longer, then the hook is paused and the audit log says so',
  async t => {
    const { account, clock, settle } = await world(t);
    const [admin, http] = [await account('admin'), await receiver(t)];
    const { id } = await admin.do('WEBHOOK', { url: http.url });
    http.status = 302;
    await admin.do('SAY', { room: 'lobby', text: 'one' });
    await clock.whenWaiting(1_000);
    t.equal(http.asked, 1, 'a redirect is not followed');
    http.status = 500;
    clock.pass(1_000);
    await clock.whenWaiting(2_000);
    t.equal(http.asked, 2);
    http.status = undefined;
    clock.pass(2_000);
    await http.when(3);
    await admin.do('SAY', { room: 'lobby', text: 'two' });
    clock.pass(10_000);
    http.status = 503;
    const waits = [4, 8, 16, 32, 64, 128, 256, ...Array<number>(287).fill(300)];
    for (const seconds of waits) {
      await clock.whenWaiting(1_000 * seconds);
      clock.pass(1_000 * seconds);
    }
    while (!('paused' in (await admin.rows('WEBHOOKS', {}))[0]!)) await settle();
    t.match(await admin.rows('HISTORY', { room: 'audit', limit: 1 }), [
      { from: '.hub', text: /paused: it answers 503; REHOOK h_/ },
    ]);
    const { asked } = http;
    http.status = 200;
    await admin.do('SAY', { room: 'lobby', text: 'three' });
    clock.pass(hour);
    await settle();
    t.equal(http.asked, asked, 'a paused one is silent');
    await admin.do('REHOOK', { id });
    await http.when(asked + 3);
    t.same(
      http.taken.map(({ event }) => event['text']),
      ['one', 'two', 'three'],
      'nothing was lost',
    );
  },
);

t.test('behind a restart a hook goes on where it stopped', async t => {
  const store = memoryStore();
  const first = await world(t, store);
  const [admin, http] = [await first.account('admin'), await receiver(t)];
  await admin.do('WEBHOOK', { url: http.url });
  await admin.do('SAY', { room: 'lobby', text: 'one' });
  await http.when(1);
  http.status = 500;
  await admin.do('SAY', { room: 'lobby', text: 'two' });
  await http.when(2);
  await first.hub.drain();
  await store.commit([
    {
      kind: 'append',
      by: 'u:ada',
      timeMs: 0,
      event: { event: 'MSG', room: 'lobby', time: '2026-11-23T12:00:00Z', from: 'ada', text: 'three' },
    },
  ]);
  http.status = 200;
  await world(t, store);
  await http.when(4);
  t.same(
    http.taken.map(({ event }) => event['text']),
    ['one', 'two', 'three'],
  );
});

t.test('webhooks are the administrators’, and only of a hub that was started for them', async t => {
  const { account } = await world(t);
  const [ada, admin] = [await account('ada'), await account('admin')];
  const url = 'http://127.0.0.1:9/';
  for (const [verb, input] of [
    ['WEBHOOK', { url }],
    ['WEBHOOKS', {}],
    ['REHOOK', { id: 'h_12345678' }],
    ['UNHOOK', { id: 'h_12345678' }],
  ] as const) {
    t.equal(await ada.code(verb, input), 'forbidden', verb);
  }
  for (const wrong of ['ftp://den/', 'den', 'http://ada:secret@den/', 'file:///etc/passwd']) {
    t.equal(await admin.code('WEBHOOK', { url: wrong }), 'bad-argument', wrong);
  }
  t.equal(await admin.code('WEBHOOK', { url, events: 'JOINED' }), 'bad-argument');
  t.equal(await admin.code('WEBHOOK', { url, rooms: 'nowhere' }), 'no-room');
  t.equal(await admin.code('UNHOOK', { id: 'h_12345678' }), 'bad-argument');
  for (let n = 0; n < 50; n++) await admin.do('WEBHOOK', { url, rooms: 'audit' });
  t.equal(await admin.code('WEBHOOK', { url }), 'quota');

  const quiet = await testHub();
  t.equal(await (await quiet.account('admin')).code('WEBHOOK', { url }), 'forbidden');
});

t.test('a log that cannot be read is asked for again after a while, and nobody waits for it', async t => {
  const kept = memoryStore();
  let reads = 0;
  let isBroken = true;
  const store = new Proxy(kept, {
    get(target, name) {
      if (name === 'history' && isBroken) return () => Promise.reject(new Error(`read ${++reads}`));
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const reports: unknown[] = [];
  const clock = new StillClock('2026-11-23T12:00:00Z');
  const report = ({ error }: { readonly error: unknown }) => void reports.push(error);
  const { hub, account, settle } = await testHub({ clock, store, post: postOverHttp, report });
  t.teardown(() => hub.drain());
  const [admin, http] = [await account('admin'), await receiver(t)];
  await admin.do('WEBHOOK', { url: http.url, rooms: 'lobby', events: 'MSG' });
  t.match(await admin.do('SAY', { room: 'lobby', text: 'told later' }), { seq: 1 });
  await settle();
  await clock.whenWaiting(limits.webhookRetryMsMax);
  t.equal(await admin.code('SAY', { room: 'lobby', text: 'and this' }), 'ok');
  t.same([reads, reports.length], [1, 1], 'it was tried once');
  isBroken = false;
  clock.pass(limits.webhookRetryMsMax);
  await http.when(2);
  t.same(
    http.taken.map(({ event }) => event['text']),
    ['told later', 'and this'],
  );
});
