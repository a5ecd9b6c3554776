/** An invite as a person passes it on: a link for this program, and the same as a QR code on a terminal. */
import { renderUnicodeCompact } from 'uqr';
import type { Address } from '../address.ts';

export function printInviteLink(
  { host, port, secure }: Address,
  { invite, room, kind }: Readonly<Record<string, unknown>>,
): void {
  const place = host.includes(':') ? `[${host}]` : host;
  const link = `${secure ? 'pls' : 'pl'}://${place}:${port}/${room ?? ''}?invite=${invite}`;
  const use = kind === 'account' ? 'partyline register' : 'partyline chat';
  process.stdout.write(`link    ${link}\nuse     ${use} '${link.replace('://', '://NAME@')}'\n`);
  if (process.stdout.isTTY) process.stdout.write(`${renderUnicodeCompact(link)}\n`);
}
