/** Proxies that are believed, and the wait for the header with which their connections begin. What stands in one: `proxy-header.ts`. */
import { BlockList, isIP, isIPv6, type Socket } from 'node:net';
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import { decodeProxyHeader, plainAddress } from './proxy-header.ts';

const nothing = Buffer.alloc(0);

/** `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`. */
export function isProxyRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const kind = isIP(address);
  if (kind === 0 || address.includes('%') || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128));
}

/** The addresses and ranges from which a header is demanded; from all others it is ordinary input. */
export class Proxies {
  readonly #list = new BlockList();

  /** Each is one that `isProxyRange` takes. */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = '', bits] = range.split('/');
      const kind = familyOf(address);
      if (bits === undefined) this.#list.addAddress(address, kind);
      else this.#list.addSubnet(address, Number(bits), kind);
    }
  }

  includes(address: string): boolean {
    return isIP(address) !== 0 && this.#list.check(address, familyOf(address));
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

/** The address of the socket's other end, without what an IPv6 socket puts in front of IPv4. */
export function addressOf(socket: Socket): string {
  return plainAddress(socket.remoteAddress ?? '');
}

export interface HeaderWait {
  readonly clock: Clock;
  /** The wait is over, however it ended; called before the others. */
  gone(): void;
  /** The header stood there: what follows it can be read from the socket, which does not flow. `address`: see `ProxyHeader`. */
  named(address: string | undefined): void;
  /** It did not, or not in time. The socket does not flow. */
  refused(reason: string): void;
}

/** Reads the header off the socket. One that ends before its first octet, as probes of a port do, is let go silently. */
export function awaitHeader(socket: Socket, { clock, gone, named, refused }: HeaderWait): void {
  let held = nothing;
  const done = () => {
    cancel();
    socket.off('data', take).off('end', ended).off('close', done);
    socket.pause();
    gone();
  };
  const fail = (reason: string) => {
    done();
    refused(reason);
  };
  const take = (octets: Buffer) => {
    held = Buffer.concat([held, octets]);
    const header = decodeProxyHeader(held);
    if (header.kind === 'incomplete') return;
    if (header.kind === 'invalid') return fail(header.reason);
    done();
    if (held.length > header.octets) socket.unshift(held.subarray(header.octets));
    named(header.address);
  };
  const ended = () => {
    if (held.length > 0) return fail('it is cut off');
    done();
    socket.destroy();
  };
  const cancel = clock.after(limits.proxyHeaderMs, () => fail('it did not come in time'));
  socket.on('data', take).on('end', ended).on('close', done);
}
