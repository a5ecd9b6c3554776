/** Commands by HTTP: entering, leaving and sending octets. What goes on in rooms comes by the socket of `link.ts`. */
import type { CommandName, InputOf, OutputOf } from '../../shared/commands/index.ts';
import type { ErrorCode } from '../../shared/errors.ts';

/** What the hub refused, in its own words. */
export class Refused extends Error {
  readonly code: ErrorCode;
  readonly retrySeconds: number | undefined;
  /** The name that was refused belongs to an account. */
  readonly isAccount: boolean;

  constructor({ code, text, retry, account }: RefusalFields) {
    super(text);
    this.code = code;
    this.retrySeconds = retry;
    this.isAccount = account === true;
  }
}

export interface RefusalFields {
  readonly code: ErrorCode;
  readonly text: string;
  readonly retry?: number;
  readonly account?: true;
}

/** The hub cannot be reached, or the connection ended before it answered. */
export class Offline extends Error {}

/** Errors: Refused, Offline, the signal's reason. */
export async function command<N extends CommandName>(
  name: N,
  input: InputOf<N>,
  { octets, signal }: { readonly octets?: Blob | Uint8Array<ArrayBuffer>; readonly signal?: AbortSignal } = {},
): Promise<OutputOf<N>> {
  const query = octets
    ? `?${new URLSearchParams(Object.entries(input).map(([key, value]) => [key, String(value)]))}`
    : '';
  const answer = await asked(`/api/commands/${name}${query}`, {
    method: 'POST',
    headers: { 'content-type': octets ? 'application/octet-stream' : 'application/json' },
    body: octets ?? JSON.stringify(input),
    ...(signal && { signal }),
  });
  return (await answer.json()) as OutputOf<N>;
}

export async function whoAmI(): Promise<OutputOf<'WHOAMI'>> {
  return (await asked('/api/session', {})).json() as Promise<OutputOf<'WHOAMI'>>;
}

export async function signOut(): Promise<void> {
  await asked('/api/session', { method: 'DELETE' });
}

/** Errors: Refused, Offline, the signal's reason. */
export async function asked(url: string, options: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Offline(String(error));
  }
  if (answer.ok) return answer;
  const body = (await answer.json().catch(() => undefined)) as { readonly error?: RefusalFields } | undefined;
  if (!body?.error || body.error.code === 'shutting-down') throw new Offline(body?.error?.text ?? answer.statusText);
  throw new Refused(body.error);
}
