/** Other people's TELNET clients on a real screen, that of tmux: they talk, are interrupted, resized, and leave. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { serveTelnet } from './support/telnet-server.ts';
import { requireTool, run } from './support/tools.ts';

t.setTimeout(120_000);
// Debian keeps games in a folder of their own.
process.env['PATH'] += ':/usr/games';

interface ClientKind {
  readonly tool: string;
  readonly args: (port: number) => string;
  /** It sends whole lines and edits them itself. */
  readonly sendsLines?: true;
  /** It does not notice that its window changes. */
  readonly tellsSizeOnce?: true;
}

const clients: readonly ClientKind[] = [
  { tool: 'inetutils-telnet', args: port => `127.0.0.1 ${port}` },
  { tool: 'telnet-ssl', args: port => `127.0.0.1 ${port}` },
  { tool: 'busybox', args: port => `telnet 127.0.0.1 ${port}`, tellsSizeOnce: true },
  { tool: 'plink', args: port => `-telnet -P ${port} 127.0.0.1` },
  { tool: 'tt++', args: port => `-e '#session den 127.0.0.1 ${port}'`, sendsLines: true },
];

const verses = Array.from({ length: 12 }, (_, n) => `verse ${n + 1} of a song that is pasted`);

/** From the line that is typed on; all of the screen where that stands at its bottom. */
function bottomOf(seen: string): readonly string[] {
  const rows = seen.trimEnd().split('\n');
  const at = rows.findLastIndex(row => row.startsWith('[#den'));
  if (at < 0) throw new Error(`no line is typed on\n${seen}`);
  return rows.slice(at);
}

/** A screen on which a program runs. */
class Screen {
  readonly #tmux: string;
  readonly #server = `partyline-${randomUUID().slice(0, 8)}`;

  constructor(tmux: string) {
    this.#tmux = tmux;
  }

  async start(command: string): Promise<void> {
    await this.#ask(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      '60',
      '-y',
      '20',
      `TERM=xterm-256color ${command}; sleep 60`,
    );
  }

  async type(...keys: readonly string[]): Promise<void> {
    await this.#ask('send-keys', ...keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#ask('resize-window', '-x', String(columns), '-y', String(rows));
  }

  async seen(): Promise<string> {
    return (await this.#ask('capture-pane', '-p')).stdout.toString();
  }

  async until(words: RegExp): Promise<string> {
    for (let tries = 0; ; tries++) {
      const seen = await this.seen();
      if (words.test(seen)) return seen;
      if (tries === 100) throw new Error(`${words} is not on the screen:\n${seen}`);
      await sleep(100);
    }
  }

  /** As a person does with the middle button; bracketed where the program wants that. */
  async paste(text: string): Promise<void> {
    await this.#ask('set-buffer', text);
    await this.#ask('paste-buffer', '-p');
  }

  /** When nothing has changed for a while. */
  async settled(): Promise<string> {
    for (let seen = await this.seen(); ; ) {
      await sleep(300);
      const next = await this.seen();
      if (next === seen) return seen;
      seen = next;
    }
  }

  async close(): Promise<void> {
    await this.#ask('kill-server');
  }

  #ask(...args: readonly string[]) {
    return run(this.#tmux, ['-u', '-L', this.#server, ...args]);
  }
}

t.test('every client holds a conversation', async t => {
  const tmux = requireTool(t, 'tmux');
  if (tmux === undefined) return;
  const { people, port } = await serveTelnet(t);
  const eve = await people.guest('eve');
  const admin = await people.account('admin');
  for (const i of clients.keys()) {
    await admin.do('CREATE', { room: `den${i}` });
    await eve.do('JOIN', { room: `den${i}` });
  }
  const heard = async (from: string, text: string) => {
    for (let tries = 0; ; tries++) {
      const said = eve.events.filter(event => event.event === 'MSG' && event.from === from && event.text === text);
      if (said.length > 0) return said.length;
      if (tries === 100) throw new Error(`${from} was not heard to say ${text}`);
      await sleep(100);
    }
  };
  const converse = async (t: Test, { tool, args, sendsLines, tellsSizeOnce }: ClientKind, name: string) => {
    const path = requireTool(t, tool);
    if (path === undefined) return;
    const screen = new Screen(tmux);
    await screen.start(`${path} ${args(port)}`);
    t.teardown(() => screen.close());
    await screen.until(/name:/);
    await screen.type(name, 'Enter');
    await screen.until(/here: /);
    const room = `den${name.at(-1)}`;
    // Who comes and goes there would stand between what is compared.
    await screen.type('/part #lobby', 'Enter', `/join ${room}`, 'Enter');
    await screen.until(/here: eve/);
    await screen.type('-l', sendsLines ? '中文!' : '中文👨‍👩‍👧');
    if (!sendsLines) await screen.type('BSpace', '!');
    await screen.type('Enter');
    t.equal(await heard(name, '中文!'), 1, 'a grapheme is erased by one Backspace');
    await screen.type('-l', 'a line that is long enough to be wrapped when the window becomes narrow');
    await eve.do('SAY', { room, text: `welcome ${name}` });
    if (!tellsSizeOnce) await screen.resize(40, 16);
    const seen = await screen.until(new RegExp(`eve: welcome ${name}`));
    t.equal(seen.split(`welcome ${name}`).length, 2, 'a message that comes meanwhile stands there once');
    if (sendsLines) await screen.type('Enter');
    else {
      const before = bottomOf(await screen.settled());
      await screen.type('C-l');
      t.same(bottomOf(await screen.settled()), before, 'what stands there is what is drawn anew');
      await screen.type('C-c');
    }
    await screen.paste(verses.join('\n'));
    if (sendsLines) await screen.type('Enter');
    else {
      await screen.until(/12 lines/);
      await screen.type('y');
    }
    for (const text of sendsLines ? verses : [verses.join('\n')]) t.equal(await heard(name, text), 1);
    if (!sendsLines) {
      await screen.type('/mode full', 'Enter');
      await screen.until(/#den\d · guest\d · \/help/);
      await screen.type('-l', 'typed while');
      await eve.do('SAY', { room, text: `full ${name}` });
      if (!tellsSizeOnce) await screen.resize(70, 20);
      await screen.until(new RegExp(`full ${name}[^]*typed while`));
      t.equal((await screen.settled()).split('typed while').length, 2, 'the line stands at the bottom once');
      const before = await screen.settled();
      await screen.type('C-l');
      t.equal(await screen.settled(), before, 'and all is as if drawn anew');
      await screen.type('C-c', '/mode inline', 'Enter');
      await screen.until(/the mode is inline/);
    }
    await screen.type('still here', 'Enter');
    t.equal(await heard(name, 'still here'), 1, '^C leaves no dead screen');
    await screen.type('/quit', 'Enter');
    await screen.until(/goodbye/);
  };
  t.jobs = clients.length;
  await Promise.all(clients.map((kind, i) => t.test(kind.tool, t => converse(t, kind, `guest${i}`))));
});
