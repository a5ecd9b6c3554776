/** How the bare fan-outs take messages in: lines over TCP, all of one turn passed on at once, each answered with a line. */
import type { Socket } from 'node:net';

const LF = 10;

/** Passes on whole lines of one turn and answers each with a line of its own. */
export function relay(socket: Socket, broadcast: (lines: Buffer) => void): (octets: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let gathered: Buffer[] = [];
  const flush = () => {
    const all = Buffer.concat([rest, ...gathered]);
    gathered = [];
    const end = all.lastIndexOf(LF) + 1;
    rest = all.subarray(end);
    if (end === 0) return;
    let lines = 0;
    for (let at = all.indexOf(LF); at >= 0 && at < end; at = all.indexOf(LF, at + 1)) lines++;
    broadcast(all.subarray(0, end));
    socket.write('+\n'.repeat(lines));
  };
  return octets => {
    gathered.push(octets);
    if (gathered.length === 1) setImmediate(flush);
  };
}
