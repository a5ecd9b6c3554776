/** What the parts of the web wire share: the hub, who visits, and where a request comes from. */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../../shared/clock.ts';
import { HubError } from '../../../shared/errors.ts';
import type { Hub } from '../../hub/hub.ts';
import type { Origin } from '../../hub/session.ts';
import type { Observer } from '../../net/observer.ts';
import type { Places } from '../../net/places.ts';
import { addressOf, type Proxies } from '../../net/proxies.ts';
import { plainAddress } from '../../net/proxy-header.ts';
import { type Credential, cookieName, credentialOf, type Visitor, type Visitors } from './visitors.ts';

export interface WebContext {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly visitors: Visitors;
  readonly observer?: Observer | undefined;
  /** WebSockets take one each. */
  readonly places: Places;
  /** Whose X-Forwarded headers are believed; Fastify knows the same ones for requests. */
  readonly proxies: Proxies | undefined;
  /** Names of the hub beside addresses and the machine's own. */
  readonly names: readonly string[];
}

declare module 'fastify' {
  interface FastifyRequest {
    visitor?: Visitor;
  }
}

/** Where a request comes from, as Fastify read its headers. */
export function originOf({ ip, protocol, raw }: Pick<FastifyRequest, 'ip' | 'protocol' | 'raw'>): Origin {
  return originBy(raw, ip, protocol === 'https');
}

/** The same for an upgrade, which no route of Fastify's sees: the nearest hop that is no proxy of ours is the peer. */
export function upgradeOrigin(request: IncomingMessage, proxies: Proxies | undefined): Origin {
  const { socket, headers } = request;
  const own = addressOf(socket);
  if (!proxies?.includes(own)) return originBy(request, own, socket instanceof TLSSocket);
  const hops = listed(headers['x-forwarded-for']).reverse();
  const peer = hops.find(hop => !proxies.includes(hop)) ?? hops.at(-1) ?? own;
  const scheme = listed(headers['x-forwarded-proto']).at(-1);
  return originBy(request, peer, scheme === undefined ? socket instanceof TLSSocket : scheme === 'https');
}

function listed(header: string | readonly string[] | undefined): string[] {
  return header === undefined
    ? []
    : String(header)
        .split(',')
        .map(word => word.trim());
}

/** Somebody on this machine never comes through a proxy, which would vouch for the whole world. */
function originBy({ socket, headers }: IncomingMessage, ip: string, secure: boolean): Origin {
  const address = plainAddress(ip);
  const isDirect = address === addressOf(socket) && headers['x-forwarded-for'] === undefined;
  const loopback = isDirect && (address.startsWith('127.') || address === '::1');
  return { wire: 'web', address, secure, loopback };
}

export function credentialIn(request: FastifyRequest): Credential | undefined {
  return credentialOf(request.headers, request.cookies[cookieName]);
}

/** Who asks, until the answer is out. Error: `auth-required`. */
export async function visitorOf({ visitors, observer }: WebContext, request: FastifyRequest): Promise<Visitor> {
  if (request.visitor) return request.visitor;
  const credential = credentialIn(request);
  if (!credential) throw new HubError('auth-required', 'sign in first: a cookie, a token, or a name and a password');
  request.visitor = await visitors.visit(credential, originOf(request));
  const observed = observer?.of(request.raw.socket);
  // A proxy carries many people on one connection, which is nobody's then.
  if (observed && request.headers['x-forwarded-for'] === undefined) observed.session = request.visitor.session.id;
  return request.visitor;
}
