/** Where a data connection goes: PORT and EPRT parsed, the replies 227 and 229 written (RFC 959, 2428). Pure. */

export interface Endpoint {
  /** IPv4 or IPv6, as the kernel writes it. */
  readonly address: string;
  readonly port: number;
}

/** `127,0,0,1,200,10` */
export function parsePort(argument: string): Endpoint | undefined {
  const parts = argument.split(',');
  if (parts.length !== 6 || !parts.every(part => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  const numbers = parts.map(Number) as [number, number, number, number, number, number];
  return { address: numbers.slice(0, 4).join('.'), port: numbers[4] * 256 + numbers[5] };
}

export type ExtendedEndpoint = Endpoint & { readonly family: 1 | 2 };

/** `|1|127.0.0.1|51210|`, with any delimiter; `unknown-family` wants 522. */
export function parseEprt(argument: string): ExtendedEndpoint | 'unknown-family' | undefined {
  const delimiter = argument[0];
  if (delimiter === undefined || !/[!-~]/.test(delimiter)) return undefined;
  const [before, family, address, port, after, ...more] = argument.split(delimiter);
  if (before !== '' || after !== '' || more.length > 0 || !/^\d{1,5}$/.test(port ?? '')) return undefined;
  if (family !== '1' && family !== '2') return 'unknown-family';
  const number = Number(port);
  const isAddress = family === '1' ? /^\d{1,3}(\.\d{1,3}){3}$/ : /^[0-9a-f:.]{2,45}$/i;
  if (number > 65_535 || !isAddress.test(address ?? '')) return undefined;
  return { family: family === '1' ? 1 : 2, address: address!, port: number };
}

export function formatPort({ address, port }: Endpoint): string {
  return [...address.split('.'), port >> 8, port & 255].join(',');
}

/** What stands in 227. */
export function passiveText(endpoint: Endpoint): string {
  return `Entering passive mode (${formatPort(endpoint)}).`;
}

/** What stands in 229. */
export function extendedPassiveText(port: number): string {
  return `Entering extended passive mode (|||${port}|).`;
}
