/** Octets per second of one file by HTTP, up and down, beside bare `node:http`; the client is `curl` for both. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../test/support/tools.ts';
import { compare, controlBand, interleave } from '../contest.ts';
import { shown } from '../line/verdict.ts';
import { startBareHttp, startPartyline } from '../servers/node-servers.ts';
import { makeFolder } from '../servers/server.ts';
import { median, range } from '../statistics.ts';
import { short, spread, table } from '../table.ts';

export async function measureFiles(parent: string, octets: number, rounds: number): Promise<string> {
  const { folder, remove } = await makeFolder(parent);
  const source = join(folder, 'source');
  await fill(source, octets);
  const partyline = await startPartyline({ parent, hasAccount: true });
  const bare = await startBareHttp(join(folder, 'bare'));
  const places = {
    partyline: ['-u', 'bench:secret', `http://127.0.0.1:${partyline.ports.http}/files/lobby/source`],
    bare: [`http://127.0.0.1:${bare.port}/`],
  };
  const move = (how: readonly string[], at: 'partyline' | 'bare') => async () => {
    const { stdout, stderr } = await run('curl', ['-sSf', '-w', '%{stderr}%{time_total}', ...how, ...places[at]]);
    const seconds = Number(/[\d.]+$/.exec(String(stderr))?.[0]);
    if (!(seconds > 0)) throw new Error(`curl: ${stdout}${stderr}`);
    return octets / 1e6 / seconds;
  };
  const direction = async (name: string, how: readonly string[]) => {
    const samples = await interleave(
      [
        { name: 'partyline', run: move(how, 'partyline') },
        { name: 'bare', run: move(how, 'bare') },
        { name: 'again', run: move(how, 'partyline') },
      ],
      rounds,
    );
    const rate = (who: string) => samples.get(who)!;
    const band = controlBand(rate('partyline'), rate('again'));
    const row = (who: string, ratio: string) => [who, short(median(rate(who))), spread(range(rate(who))), ratio];
    const ratio = shown(compare(rate('partyline'), rate('bare'), band));
    const head = [name, 'MB/s', 'min–max', 'it / bare'];
    return `${table(head, [row('partyline', ratio), row('bare', '')])}\n\npartyline against itself: ${spread(band)}`;
  };
  try {
    const up = await direction('PUT', ['-T', source, '-o', '/dev/null']);
    return `${up}\n\n${await direction('GET', ['-o', '/dev/null'])}`;
  } finally {
    await partyline.stop();
    await bare.stop();
    await remove();
  }
}

async function fill(path: string, octets: number): Promise<void> {
  const file = await open(path, 'w');
  const piece = Buffer.alloc(1024 * 1024, 'partyline ');
  for (let at = 0; at < octets; at += piece.length) await file.write(piece);
  await file.close();
  if ((await stat(path)).size !== octets) throw new Error('the source is not whole');
}
