/**
 * Segments as tcpdump sees them: a helper process that holds the privilege, limited to the ports of this server, one for
 * each network interface. Where the setting does not allow it, or the machine does not, that is said.
 */
import { spawn } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { limits } from '../../shared/limits.ts';
import { type Segment, SegmentReader } from './segments.ts';
import type { Finding, Ports, Source } from './source.ts';

const interfaceNames = () => Object.keys(networkInterfaces());

function tcpdump(name: string, filter: string) {
  // The kernel's ring holds as many packets as fit with this length each: few, if whole ones had to.
  const room = ['-s', String(limits.wirePacketOctetsMax), '-B', '8192'];
  const flags = ['-i', name, '-n', '-U', '--immediate-mode', ...room, '-w', '-', filter];
  return spawn('tcpdump', flags, { stdio: ['ignore', 'pipe', 'pipe'] });
}

export function captureSource(isAllowed: boolean): Source<Segment> {
  return {
    name: 'tcpdump',
    find: () => (isAllowed ? tryOut() : Promise.resolve(missed('no segments, since wire-view is not capture'))),
    start({ tell, lost }, ports) {
      const children = interfaceNames().map(name => {
        const reader = new SegmentReader();
        const child = tcpdump(name, filterOf(ports));
        child.unref();
        child.on('error', error => lost(error.message));
        child.stdout.on('data', (octets: Buffer) => {
          for (const segment of reader.push(octets)) tell(segment);
          if (!reader.isSound) child.kill('SIGKILL');
        });
        return child;
      });
      return {
        ready: Promise.all(children.map(listening)),
        watch: () => undefined,
        stop() {
          for (const child of children) child.kill('SIGKILL');
        },
      };
    },
  };
}

/** Also when it ended instead. */
function listening(child: ReturnType<typeof tcpdump>): Promise<void> {
  return new Promise(resolve => {
    let said = '';
    child.stderr.on('data', (words: Buffer) => {
      if (said.length < 1_000) said += words;
      if (said.includes('listening on')) resolve();
    });
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });
}

function missed(words: string): Finding {
  return { isFound: false, words };
}

/** Whether it may capture is known when it begins to. */
function tryOut(): Promise<Finding> {
  return new Promise(resolve => {
    const child = tcpdump(interfaceNames()[0] ?? 'lo', 'tcp port 1');
    let said = '';
    child.stdout.resume();
    child.stderr.on('data', (words: Buffer) => {
      said += words;
      if (!said.includes('listening on')) return;
      resolve({ isFound: true, words: 'segments from tcpdump' });
      child.kill('SIGKILL');
    });
    child.on('error', () => resolve(missed('no segments: tcpdump is not installed')));
    child.on('close', () =>
      resolve(missed(`no segments: tcpdump may not capture (${said.trim().split('\n').at(-1)})`)),
    );
  });
}

function filterOf({ ports, ranges }: Ports): string {
  const parts = [...ports.map(port => `port ${port}`), ...ranges.map(([first, last]) => `portrange ${first}-${last}`)];
  return `tcp and (${parts.join(' or ')})`;
}
