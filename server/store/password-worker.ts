/** The thread that hashes passwords, one at a time. */
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { serveRequests } from './worker-link.ts';

/** With `stored`, is it this password; without, the string to store. */
export interface PasswordRequest {
  readonly password: string;
  readonly stored?: string;
}

const COST = { N: 2 ** 15, r: 8, p: 1 } as const;
const HASH_OCTETS = 32;
const shape = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([\w-]+)\$([\w-]{43})$/;

interface Stored {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Nobody's: no password has 32 zeros as its hash, but finding that out takes as long. */
const nobody: Stored = { ...COST, salt: randomBytes(16), hash: Buffer.alloc(HASH_OCTETS) };

function derive(password: string, { N, r, p, salt }: Omit<Stored, 'hash'>, octets: number): Buffer {
  // Keyboards differ in how they compose letters (RFC 8265 §4.2).
  return scryptSync(password.normalize('NFC'), salt, octets, { N, r, p, maxmem: 256 * N * r });
}

function parse(stored: string): Stored {
  const parts = shape.exec(stored);
  if (!parts) return nobody;
  const [, N, r, p, salt, hash] = parts;
  return {
    N: Number(N),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt!, 'base64url'),
    hash: Buffer.from(hash!, 'base64url'),
  };
}

function hash(password: string): string {
  const salt = randomBytes(16);
  const { N, r, p } = COST;
  const octets = derive(password, { N, r, p, salt }, HASH_OCTETS);
  return `scrypt$${N}$${r}$${p}$${salt.toString('base64url')}$${octets.toString('base64url')}`;
}

function verify(password: string, text: string): boolean {
  const stored = parse(text);
  return timingSafeEqual(derive(password, stored, stored.hash.length), stored.hash) && stored !== nobody;
}

serveRequests<PasswordRequest>(({ password, stored }) =>
  stored === undefined ? hash(password) : verify(password, stored),
);
