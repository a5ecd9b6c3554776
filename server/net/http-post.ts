/** Posting to an address that an administrator gave: the one place where the server calls somebody. */

/** Resolves with the status. Redirects are not followed, and what is answered is not read. */
export async function postOverHttp(request: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}): Promise<number> {
  const { url, ...rest } = request;
  const response = await fetch(url, { ...rest, method: 'POST', redirect: 'manual' });
  await response.body?.cancel();
  return response.status;
}
