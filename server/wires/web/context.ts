/** What the parts of the web wire share: the hub, who visits, and where a request comes from. */
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../../shared/clock.ts';
import { HubError } from '../../../shared/errors.ts';
import type { Hub } from '../../hub/hub.ts';
import type { Origin } from '../../hub/session.ts';
import type { Observer } from '../../net/observer.ts';
import { addressOf } from '../../net/proxies.ts';
import { type Credential, cookieName, credentialOf, type Visitor, type Visitors } from './visitors.ts';

export interface WebContext {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly visitors: Visitors;
  readonly observer?: Observer | undefined;
  /** Names of the hub beside addresses and the machine's own. */
  readonly names: readonly string[];
}

declare module 'fastify' {
  interface FastifyRequest {
    visitor?: Visitor;
  }
}

/** Somebody on this machine never comes through a proxy, which would vouch for the whole world. */
export function originOf({ ip, protocol, raw }: Pick<FastifyRequest, 'ip' | 'protocol' | 'raw'>): Origin {
  const address = ip.replace(/^::ffff:/, '');
  const isDirect = address === addressOf(raw.socket) && raw.headers['x-forwarded-for'] === undefined;
  const loopback = isDirect && (address.startsWith('127.') || address === '::1');
  return { wire: 'web', address, secure: protocol === 'https', loopback };
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
