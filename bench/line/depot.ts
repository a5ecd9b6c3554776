/** The product's server, a bare copy server and a source file in one folder, ready for transfers. */
import { join } from 'node:path';
import type { BulkAnswer, BulkRequest } from '../load/bulk.ts';
import { type Role, startRole } from '../load/role.ts';
import type { Program } from '../process.ts';
import { startBareCopy, startPartyline } from '../servers/node-servers.ts';
import { makeFolder, type Server } from '../servers/server.ts';
import { makeSource, type Source } from './source.ts';

export interface Depot {
  readonly partyline: Server;
  readonly bare: Program & { readonly port: number };
  readonly source: Source;
  /** Moves the source; `name` is the file on the server. */
  readonly move: (
    verb: BulkRequest['do'],
    by: BulkRequest['by'],
    name: string,
    verifies?: boolean,
  ) => Promise<BulkAnswer>;
}

/** Calls `use` with a depot below `parent`, and clears all away. */
export async function withDepot<T>(parent: string, size: number, use: (depot: Depot) => Promise<T>): Promise<T> {
  const { folder, remove } = await makeFolder(parent);
  const bulk: Role<BulkRequest, BulkAnswer> = startRole('./bulk.js');
  const running: Program[] = [];
  try {
    const source = await makeSource(join(folder, 'source'), size);
    const partyline = await startPartyline({ parent: folder, hasAccount: true });
    running.push(partyline);
    const bare = await startBareCopy(join(folder, 'bare'));
    running.push(bare);
    const move: Depot['move'] = (verb, by, name, verifies = false) =>
      bulk.ask({
        do: verb,
        by,
        port: by === 'bare' ? bare.port : partyline.port,
        local: by === 'library' && verb === 'get' ? join(folder, 'received') : source.path,
        remote: `/lobby/${name}`,
        size,
        hash: source.hash,
        verifies,
      });
    return await use({ partyline, bare, source, move });
  } finally {
    bulk.stop();
    for (const program of running) await program.stop();
    await remove();
  }
}
