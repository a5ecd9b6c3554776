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
}

const clients: readonly ClientKind[] = [
  { tool: 'inetutils-telnet', args: port => `127.0.0.1 ${port}` },
  { tool: 'telnet-ssl', args: port => `127.0.0.1 ${port}` },
  { tool: 'busybox', args: port => `telnet 127.0.0.1 ${port}` },
  { tool: 'plink', args: port => `-telnet -P ${port} 127.0.0.1` },
  { tool: 'tt++', args: port => `-e '#session den 127.0.0.1 ${port}'`, sendsLines: true },
];

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
  await eve.do('JOIN', { room: 'lobby' });
  const heard = async (from: string, text: string) => {
    for (let tries = 0; ; tries++) {
      const said = eve.events.filter(event => event.event === 'MSG' && event.from === from && event.text === text);
      if (said.length > 0) return said.length;
      if (tries === 100) throw new Error(`${from} was not heard to say ${text}`);
      await sleep(100);
    }
  };
  const converse = async (t: Test, { tool, args, sendsLines }: ClientKind, name: string) => {
    const path = requireTool(t, tool);
    if (path === undefined) return;
    const screen = new Screen(tmux);
    await screen.start(`${path} ${args(port)}`);
    t.teardown(() => screen.close());
    await screen.until(/name:/);
    await screen.type(name, 'Enter');
    await screen.until(/here: /);
    await screen.type('-l', sendsLines ? '中文!' : '中文👨‍👩‍👧');
    if (!sendsLines) await screen.type('BSpace', '!');
    await screen.type('Enter');
    t.equal(await heard(name, '中文!'), 1, 'a grapheme is erased by one Backspace');
    await screen.type('-l', 'a line that is long enough to be wrapped when the window becomes narrow');
    await eve.do('SAY', { room: 'lobby', text: `welcome ${name}` });
    await screen.resize(40, 16);
    const seen = await screen.until(new RegExp(`eve: welcome ${name}`));
    t.equal(seen.split(`welcome ${name}`).length, 2, 'a message that comes meanwhile stands there once');
    if (!sendsLines) await screen.type('C-c');
    else await screen.type('Enter');
    await screen.type('still here', 'Enter');
    t.equal(await heard(name, 'still here'), 1, '^C leaves no dead screen');
    await screen.type('/quit', 'Enter');
    await screen.until(/goodbye/);
  };
  t.jobs = clients.length;
  await Promise.all(clients.map((kind, i) => t.test(kind.tool, t => converse(t, kind, `guest${i}`))));
});
