/** Octets per second of a big file by curl, up and down, plain and over TLS: all beside vsftpd. */
import { type Comparison, compare, controlBand, interleave } from '../contest.ts';
import { shown } from '../line/verdict.ts';
import type { FtpServer } from '../servers/ftp-peers.ts';
import { median, range } from '../statistics.ts';
import { short, spread, table } from '../table.ts';
import { type Field, move } from './field.ts';

const nowhere = '/dev/null';

export async function measureTransfer(
  { servers, source, note }: Field,
  verb: 'put' | 'get',
  secure: boolean,
  rounds: number,
): Promise<string> {
  const able = servers.filter(({ isSecure }) => isSecure || !secure);
  const local = verb === 'put' ? source.path : nowhere;
  const name = verb === 'put' ? 'sent' : 'big';
  const rate = async (server: FtpServer) => source.size / 1e6 / (await move(server, verb, local, name, secure));
  const title = `${verb === 'put' ? 'STOR' : 'RETR'} of ${source.size / 2 ** 20} MiB by curl${secure ? ' over TLS' : ''}, MB/s.`;
  return `${title}\n\n${await contest(able, rate, rounds)}${note}`;
}

/** Rates of all, and their ratios to vsftpd, which takes part twice. */
export async function contest(
  servers: readonly FtpServer[],
  rate: (server: FtpServer) => Promise<number>,
  rounds: number,
): Promise<string> {
  const measured = (name: string, server: FtpServer) => ({ name, run: () => rate(server) });
  const control = servers.find(({ name }) => name === 'vsftpd');
  const all = servers.map(server => measured(server.name, server));
  if (control) all.push(measured('again', control));
  const samples = await interleave(all, rounds);
  const of = (name: string) => samples.get(name)!;
  const band = control ? controlBand(of('vsftpd'), of('again')) : undefined;
  const versus = (name: string): Comparison | undefined =>
    band && name !== 'vsftpd' ? compare(of(name), of('vsftpd'), band) : undefined;
  const rows = servers.map(({ name }) => {
    const comparison = versus(name);
    return [name, short(median(of(name))), spread(range(of(name))), comparison ? shown(comparison) : ''];
  });
  const beside = band ? `\n\nvsftpd against itself: ${spread(band)}` : '';
  return `${table(['', 'median', 'min–max', 'it / vsftpd'], rows)}${beside}`;
}
