/** What is refused before anybody asks who it is: a Host that a rebound name brought, and changes that another site began. */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { HubError } from '../../../shared/errors.ts';

export interface Asked {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

const harmless = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A browser is led to this machine under a foreign name only by that name: addresses, the machine's own names and those
 * of the setting are all that pass. Error: `forbidden`.
 */
export function demandHost({ headers }: Pick<Asked, 'headers'>, names: readonly string[]): void {
  const name = hostOf(headers.host);
  if (name !== undefined && (isIP(name) !== 0 || name === 'localhost' || isNamed(name, names))) return;
  throw new HubError('forbidden', `this hub is not called ${name ?? 'so'}; see the setting http-names`);
}

function isNamed(name: string, names: readonly string[]): boolean {
  const own = hostname().toLowerCase();
  return name === own || name === `${own}.local` || names.includes(name);
}

function hostOf(host: string | undefined): string | undefined {
  const [, inBrackets, plain] = /^(?:\[([\da-f:.]+)\]|([^:[\]/@]+))(?::\d+)?$/i.exec(host ?? '') ?? [];
  return (inBrackets ?? plain)?.toLowerCase();
}

/** Cookies come with whatever a foreign page sends, so what changes something, and a WebSocket, must come from here. Error: `forbidden`. */
export function demandSameOrigin({ headers }: Pick<Asked, 'headers'>): void {
  const site = headers['sec-fetch-site'];
  const { origin, host } = headers;
  const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (!isForeign && (origin === undefined || hostAndPort(origin) === host?.toLowerCase())) return;
  throw new HubError('forbidden', 'this request comes from another site');
}

/** Both, as far as the method needs them. */
export function demandOwnSite(asked: Asked, names: readonly string[]): void {
  demandHost(asked, names);
  if (!harmless.has(asked.method)) demandSameOrigin(asked);
}

function hostAndPort(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
}
