/** What `bench web` consists of: messages to many WebSockets beside bare `ws`, and files over HTTP beside bare `node:http`. */
import { MIB } from '../../shared/limits.ts';
import { measureFanout } from '../line/fanout.ts';
import { memoryFolder } from '../line/source.ts';
import { startBareWebFanout, startPartyline } from '../servers/node-servers.ts';
import { measureFiles } from './files.ts';

const crowd = { senders: 1, receivers: 1_000 };
const fileOctets = 256 * MIB;
/** The source, the server's copy and the bare one. */
const copies = 4;

/** Name → a measurement in so many rounds, as Markdown. */
export const cases: Readonly<Record<string, (rounds: number) => Promise<string>>> = {
  'deliveries-1000': measureDeliveries,
  files: async rounds => measureFiles(await memoryFolder(copies * fileOctets), fileOctets, rounds),
};

/** Messages come over the line protocol on both, since only what leaves is measured. */
async function measureDeliveries(rounds: number): Promise<string> {
  const partyline = await startPartyline();
  const bare = await startBareWebFanout('bare ws');
  const tick = await startBareWebFanout('bare ws a tick');
  try {
    const web = {
      ...partyline,
      name: 'web',
      port: partyline.ports.http,
      sender: { wire: 'partyline', port: partyline.port },
    } as const;
    return await measureFanout([web, bare, tick], crowd, rounds);
  } finally {
    await partyline.stop();
    await bare.stop();
    await tick.stop();
  }
}
