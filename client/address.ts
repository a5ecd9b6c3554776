/** Addresses of hubs and of what is in them: `pl://[user@]host[:port]/room/path`, `pls://` over TLS, `ws://` and `wss://` by the web's port, or `NAME:/room/path`. */
import { PartylineError } from './errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** By WebSocket rather than the line protocol. */
  readonly web?: true;
  readonly user?: string;
  /** `/` where none is given; a trailing slash is kept, since it has a sense. */
  readonly path: string;
  /** What lets in who has no account: `pl://host/den?invite=i_…`. */
  readonly invite?: string;
}

const ports = { pl: 7070, pls: 7071, ws: 7080, wss: 7443 } as const;

/** True for what looks like an address rather than a local path. */
export function isAddress(text: string): boolean {
  return /^(?:pl|ws)s?:\/\//.test(text) || /^[\p{L}\p{N}][\p{L}\p{N}_.-]+:\//u.test(text);
}

/** True for a host that is this machine by its name or number. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.[\d.]+|::1)$/.test(host);
}

/** `saved` gives the URL behind a name. Error: `bad-argument`. */
export function parseAddress(text: string, saved: (name: string) => string | undefined = () => undefined): Address {
  const url = /^((?:pl|ws)s?):\/\/(?:([^@/]*)@)?(\[[^\]]+\]|[^:/]+)(?::(\d{1,5}))?([/?].*)?$/.exec(text);
  if (url) {
    const [, scheme, user, host, port, target] = url;
    const [, path, invite] = /^(.*?)(?:\?invite=(i_[\w-]+))?$/s.exec(target ?? '/')!;
    if (user?.includes(':')) {
      throw new PartylineError(
        'bad-argument',
        'no password in an address: use the prompt, PARTYLINE_PASSWORD or --password-stdin',
      );
    }
    if (Number(port) > 65_535) throw new PartylineError('bad-argument', `${port} is not a port`);
    return {
      host: (host ?? '').replace(/^\[|\]$/g, ''),
      port: port === undefined ? ports[scheme as keyof typeof ports] : Number(port),
      secure: scheme === 'pls' || scheme === 'wss',
      ...(scheme?.startsWith('ws') && { web: true as const }),
      ...(user && { user: decodeUser(user) }),
      path: path || '/',
      ...(invite !== undefined && { invite }),
    };
  }
  const named = /^([\p{L}\p{N}][\p{L}\p{N}_.-]+):(\/.*)?$/u.exec(text);
  const base = named ? saved(named[1]!) : undefined;
  if (named && base !== undefined) return { ...parseAddress(base), path: named[2] ?? '/' };
  if (named)
    throw new PartylineError('bad-argument', `${named[1]} is not a saved hub; partyline login ${named[1]} pl://HOST`);
  throw new PartylineError('bad-argument', `${text} is not an address such as pl://ada@localhost/lobby/file`);
}

function decodeUser(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    throw new PartylineError('bad-argument', `${user} is not a user's name: a % begins two hexadecimal digits`);
  }
}
