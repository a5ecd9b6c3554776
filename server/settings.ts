/** Every setting of the server in one table, from which flags, `PARTYLINE_*`, the file, help and the reference page derive. */
import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';
import { parse as parseToml } from 'smol-toml';
import * as z from 'zod';
import { limits, MIB } from '../shared/limits.ts';
import { nearest } from '../shared/text.ts';
import { isProxyRange } from './net/proxies.ts';

/** Digits only: coercion would read an empty text as 0 and `true` as 1. */
const whole = (min: number, max: number, error: string) =>
  z.preprocess(
    value => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
    z.int({ error }).min(min, { error }).max(max, { error }),
  );
const port = (fallback: number, help: string) => ({
  schema: whole(0, 65_535, 'is not a port (0 to 65535)'),
  fallback,
  help: `${help}; 0 takes a free one`,
});
const onOff = z.preprocess(
  value => (value === true || value === 'on' ? true : value === false || value === 'off' ? false : value),
  z.boolean({ error: 'is neither on nor off' }),
);
const octets = whole(0, Number.MAX_SAFE_INTEGER, 'is not a number of octets');
const file = z.string({ error: 'is not a path' }).min(1, { error: 'is not a path' });
const rangeError = 'is neither a port nor a range such as 7100-7139';
const masqueradeError = 'is not a list such as 10.0.0.0/8=10.0.0.5';
const isMasquerade = (text: string): boolean => {
  const [range = '', address = '', ...more] = text.split('=');
  return more.length === 0 && isProxyRange(range) && isIPv4(address);
};
const holdError = `is not a time such as 150ms, at most ${limits.holdMsMax / 1000}s`;
const proxyRanges = { error: 'is not a list of addresses such as 127.0.0.2,10.0.0.0/8' };
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** name → how it is checked, what it is when nobody says, and what it does. A flag is the name; the environment's key is `PARTYLINE_` and the name in capitals with `_`. */
export const settingsTable = {
  host: {
    schema: z.string({ error: 'is not an address' }).min(1),
    fallback: '127.0.0.1',
    help: 'address that every wire listens on',
  },
  'data-dir': { schema: file, fallback: undefined, help: 'folder of messages, files and certificate' },
  ephemeral: { schema: onOff, fallback: false, help: 'keep everything in memory only' },
  'hub-name': {
    schema: z.string().regex(/^[\w.-]{1,32}$/, 'is not 1 to 32 letters, digits, - _ .'),
    fallback:
      hostname()
        .replaceAll(/[^\w.-]/g, '-')
        .slice(0, 32) || 'partyline',
    help: 'the name by which the hub greets',
  },
  'http-port': port(7080, 'HTTP and WebSocket'),
  'https-port': port(7443, 'HTTP and WebSocket over TLS'),
  'http-names': {
    schema: z.preprocess(
      value => (typeof value === 'string' ? value.split(',').map(name => name.trim().toLowerCase()) : value),
      z.array(z.string().regex(/^[a-z0-9.-]+$/, 'is not a list of names such as hub.example,hub.lan'), {
        error: 'is not a list of names such as hub.example,hub.lan',
      }),
    ),
    fallback: undefined,
    help: 'names under which browsers may reach the hub, besides addresses and the names of the machine',
  },
  'line-port': port(7070, 'line protocol'),
  'line-tls-port': port(7071, 'line protocol over TLS'),
  'telnet-port': port(7023, 'TELNET'),
  'telnet-tls-port': port(7024, 'TELNET over TLS'),
  'ftp-port': port(7021, 'FTP, and FTP over explicit TLS'),
  'ftp-tls-port': port(7022, 'FTP over implicit TLS'),
  'ftp-passive-ports': {
    schema: z
      .string({ error: rangeError })
      .regex(/^\d{1,5}(-\d{1,5})?$/, rangeError)
      .transform(text => {
        const [first, last = first] = text.split('-').map(Number) as [number, number?];
        return { first, last };
      })
      .refine(({ first, last }) => first <= last && last <= 65_535, rangeError),
    fallback: '7100-7139',
    help: 'ports of FTP data connections; a single one is shared by all, 0 takes any free one',
  },
  'ftp-masquerade': {
    schema: z.preprocess(
      value => (typeof value === 'string' ? value.split(',').map(part => part.trim()) : value),
      z.array(z.string().refine(isMasquerade, masqueradeError), { error: masqueradeError }),
    ),
    fallback: undefined,
    help: 'address that FTP clients of a network are told: 10.0.0.0/8=10.0.0.5,0.0.0.0/0=203.0.113.7',
  },
  'ftp-tls-binding': {
    schema: z.enum(['off', 'prefer', 'require'], { error: 'is none of off, prefer, require' }),
    fallback: 'prefer',
    help: 'FTP data connections resume the TLS session of their control connection',
  },
  'ftp-private': {
    schema: onOff,
    fallback: false,
    help: 'FTP over TLS only: no login and no data connection in clear',
  },
  'ftp-bandwidth-octets': {
    schema: octets,
    fallback: 0,
    help: 'octets a second that one person moves by FTP, over all connections; 0 for no limit',
  },
  'ftp-acceleration': { schema: onOff, fallback: true, help: 'let the kernel copy files to FTP clients where it can' },
  guests: {
    schema: onOff,
    fallback: undefined,
    help: 'people may enter without an account; on while the host is loopback',
  },
  registration: { schema: onOff, fallback: false, help: 'everybody may make an account; off: by invite only' },
  'home-octets': {
    schema: octets,
    fallback: 10_240 * MIB,
    help: 'what the files of one home may take; 0 for no limit',
  },
  'clear-passwords': { schema: onOff, fallback: false, help: 'take passwords in clear from other hosts' },
  'tls-cert': {
    schema: file,
    fallback: undefined,
    help: 'certificate chain as PEM; without it a self-signed one is made',
  },
  'tls-key': { schema: file, fallback: undefined, help: 'key of the certificate as PEM' },
  'connections-max': {
    schema: whole(1, 1_000_000, 'is not a number of connections'),
    fallback: 10_000,
    help: 'open connections on all ports; fewer where the process may not open as many files',
  },
  webhooks: { schema: onOff, fallback: false, help: 'post events to addresses that administrators give (WEBHOOK)' },
  'person-quota-octets': {
    schema: octets,
    fallback: 0,
    help: 'what a person may own over all rooms, unless ALLOWANCE says otherwise; 0 for no limit',
  },
  'retention-days': {
    schema: whole(0, 36_500, 'is not a number of days'),
    fallback: 0,
    help: 'days of history that rooms keep which say nothing else (RETENTION); 0 keeps all',
  },
  'trust-proxy': {
    schema: z.preprocess(
      value => (typeof value === 'string' ? value.split(',').map(range => range.trim()) : value),
      z.array(z.string().refine(isProxyRange, proxyRanges), proxyRanges),
    ),
    fallback: undefined,
    help: 'proxies, as 127.0.0.2,10.0.0.0/8, that name whom they speak for: by a PROXY header, in HTTP by X-Forwarded-For',
  },
  'wire-view': {
    schema: z.enum(['off', 'states', 'capture'], { error: 'is none of off, states, capture' }),
    fallback: 'states',
    help: 'show people what the protocols do on their connections (WIRE); capture: segments too, where tcpdump may run',
  },
  'linger-close': {
    schema: z.preprocess(
      value => {
        const [, digits, unit] = typeof value === 'string' ? (/^(\d{1,5})(ms|s)?$/.exec(value) ?? []) : [];
        return digits === undefined ? value : Number(digits) * (unit === 's' ? 1_000 : 1);
      },
      z.int({ error: holdError }).min(0, holdError).max(limits.holdMsMax, holdError),
    ),
    fallback: 0,
    help: 'for lessons: every connection waits so long behind the FIN of its peer before it ends, such as 150ms',
  },
  'ballast-octets': { schema: octets, fallback: 32 * MIB, help: 'held back on the disk for the moment it is full' },
  'low-water-octets': { schema: octets, fallback: 64 * MIB, help: 'free space under which uploads are refused' },
  'log-level': {
    schema: z.enum(logLevels, { error: `is none of ${logLevels.join(', ')}` }),
    fallback: 'info',
    help: 'what goes to standard error',
  },
} as const;

export type SettingName = keyof typeof settingsTable;
type Value<N extends SettingName> = z.output<(typeof settingsTable)[N]['schema']>;
/** Settings that have no fixed default are worked out in `readSettings`. */
export type Settings = { readonly [N in SettingName]: Value<N> } & {
  readonly 'tls-cert'?: string;
  readonly 'tls-key'?: string;
};
export type Origin = 'flag' | 'environment' | 'file' | 'default';

export interface SettingsRead {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingName, Origin>>;
  /** Things to say at the start that stop nothing. */
  readonly warnings: readonly string[];
}

/** What a person wrote is wrong; the message says what to write instead. Ends the program with 64. */
export class SettingsError extends Error {}

/** Keys of the environment that belong to the client, and to `config`. */
const foreignKeys = new Set([
  'PARTYLINE_PASSWORD',
  'PARTYLINE_NEW_PASSWORD',
  'PARTYLINE_TOKEN',
  'PARTYLINE_CONFIG',
  'PARTYLINE_FAULT_POINT',
  'PARTYLINE_TEST_LONG',
]);

export function environmentKey(name: SettingName): string {
  return `PARTYLINE_${name.toUpperCase().replaceAll('-', '_')}`;
}

export interface Sources {
  /** Name → text, as flags gave it. */
  readonly flags: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Text of the TOML file, if there is one. */
  readonly file?: string | undefined;
  /** Where data lies when nobody says. */
  readonly dataDir: string;
}

/** Flags before environment before file before default. Error: SettingsError. */
export function readSettings({ flags, environment, file: toml, dataDir }: Sources): SettingsRead {
  const inFile = toml === undefined ? {} : parseFile(toml);
  for (const [where, given] of [
    ['--', flags],
    ['the file: ', inFile],
  ] as const) {
    for (const key of Object.keys(given)) if (!isSetting(key)) throw new SettingsError(unknown(`${where}${key}`, key));
  }
  const warnings = Object.keys(environment)
    .filter(
      key => key.startsWith('PARTYLINE_') && !foreignKeys.has(key) && !names.some(name => environmentKey(name) === key),
    )
    .map(key => unknown(key, key.slice('PARTYLINE_'.length).toLowerCase().replaceAll('_', '-')));
  const origins = {} as Record<SettingName, Origin>;
  const values: Record<string, unknown> = {};
  for (const name of names) {
    const sources = [
      ['flag', flags[name]],
      // A variable that is set to nothing is one that is not set.
      ['environment', environment[environmentKey(name)] || undefined],
      ['file', inFile[name]],
      ['default', settingsTable[name].fallback],
    ] as const;
    const [origin, value] = sources.find(([, given]) => given !== undefined) ?? ['default', undefined];
    origins[name] = origin;
    if (value !== undefined) values[name] = checked(name, origin, value);
  }
  values['data-dir'] ??= dataDir;
  values['trust-proxy'] ??= [];
  values['http-names'] ??= [];
  values['ftp-masquerade'] ??= [];
  values['guests'] ??= isLoopback(String(values['host']));
  if ((values['tls-cert'] === undefined) !== (values['tls-key'] === undefined)) {
    throw new SettingsError('tls-cert and tls-key go together: give both or none');
  }
  return { settings: values as Settings, origins, warnings };
}

const names = Object.keys(settingsTable) as SettingName[];

function isSetting(key: string): key is SettingName {
  return Object.hasOwn(settingsTable, key);
}

function checked(name: SettingName, origin: Origin, value: unknown): unknown {
  const parsed = settingsTable[name].schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    `${name} (${origin}): ${JSON.stringify(value)} ${parsed.error.issues[0]?.message ?? 'is not valid'}`,
  );
}

function parseFile(toml: string): Record<string, unknown> {
  try {
    return parseToml(toml);
  } catch (error) {
    throw new SettingsError(
      `the settings file is not TOML: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
    );
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function unknown(shown: string, key: string): string {
  const near = nearest(key, names) ?? names.find(name => key.length > 2 && (name.includes(key) || key.includes(name)));
  return `there is no setting ${shown}${near === undefined ? '; --help lists them' : `; did you mean ${near}?`}`;
}

/** The settings as `--help` shows them. */
export function settingsHelp(): string {
  const width = Math.max(...names.map(name => name.length)) + 4;
  return names
    .map(name => {
      const { fallback, help } = settingsTable[name];
      const shown = fallback === undefined ? '' : ` [${fallback === false ? 'off' : fallback}]`;
      return `  ${`--${name}`.padEnd(width)}${help}${name === 'hub-name' ? ' [the host’s]' : shown}`;
    })
    .join('\n');
}
