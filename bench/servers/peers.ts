/** Other people's servers, where they are installed (`bench/peers.sh`): on loopback, high ports and temporary folders, storing nothing. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WireName } from '../load/wires.ts';
import { findProgram, freePort, startProgram } from '../process.ts';
import { inFolder, type Server, temporary } from './server.ts';

interface Peer {
  readonly name: WireName;
  readonly program: string;
  readonly config: (port: number, folder: string) => string;
  readonly args: (configFile: string) => readonly string[];
}

/** Limits that would end slow or fast-talking clients are off everywhere: what is compared is speed. */
const peers: readonly Peer[] = [
  {
    name: 'redis',
    program: 'redis-server',
    config: (port, folder) =>
      [
        `port ${port}`,
        'bind 127.0.0.1',
        'protected-mode no',
        `dir ${folder}`,
        'save ""',
        'appendonly no',
        'maxclients 10000',
        'client-output-buffer-limit pubsub 0 0 0',
      ].join('\n'),
    args: file => [file],
  },
  {
    name: 'nats',
    program: 'nats-server',
    config: port =>
      [
        `listen: "127.0.0.1:${port}"`,
        'ping_interval: "1h"',
        'write_deadline: "60s"',
        'max_pending: 1073741824',
        'max_connections: 10000',
      ].join('\n'),
    args: file => ['-c', file],
  },
  {
    name: 'ngircd',
    program: 'ngircd',
    config: (port, folder) =>
      [
        '[Global]',
        'Name = bench.example.net',
        'Info = bench',
        'Listen = 127.0.0.1',
        `Ports = ${port}`,
        `MotdFile = ${folder}/none`,
        '[Limits]',
        'MaxConnections = 0',
        'MaxConnectionsIP = 0',
        'MaxJoins = 0',
        'MaxPenaltyTime = 0',
        'PingTimeout = 3600',
        '[Options]',
        'DNS = no',
        'Ident = no',
        'PAM = no',
      ].join('\n'),
    args: file => ['-n', '-f', file],
  },
];

export interface PeerStart {
  readonly name: WireName;
  /** Undefined where the program is not installed. */
  readonly start: (() => Promise<Server>) | undefined;
}

export async function findPeers(): Promise<readonly PeerStart[]> {
  return Promise.all(
    peers.map(async peer => {
      const path = await findProgram(peer.program);
      return { name: peer.name, start: path === undefined ? undefined : () => startPeer(peer, path) };
    }),
  );
}

function startPeer(peer: Peer, path: string): Promise<Server> {
  return inFolder(temporary, async folder => {
    const port = await freePort();
    const file = join(folder, 'config');
    await writeFile(file, `${peer.config(port, folder)}\n`);
    const program = await startProgram(path, peer.args(file), { port });
    return { ...program, name: peer.name, port };
  });
}
