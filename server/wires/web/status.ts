/** Errors as HTTP answers: the status of the one table, and a JSON body that says what to do. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, type ErrorFacts, errors, HubError } from '../../../shared/errors.ts';

export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly text: string } & ErrorFacts;
}

export function errorBody({ code, message: text, facts }: HubError): ErrorBody {
  return { error: { code, text, ...facts } };
}

/** Fastify's own refusals of a request, by their status. */
const ofStatus: Readonly<Record<number, ErrorCode>> = { 413: 'too-large', 429: 'rate-limited', 404: 'no-file' };

/** What a person did keeps its code; what Fastify refuses gets one; anything else is our fault and undefined. */
export function asHubError(error: unknown): HubError | undefined {
  if (error instanceof HubError) return error;
  const { statusCode, message, code } = error as Partial<FastifyError>;
  if (code === 'ECONNRESET' || message === 'aborted') return new HubError('truncated', 'the request ended too soon');
  if (statusCode === undefined || statusCode >= 500) return undefined;
  return new HubError(ofStatus[statusCode] ?? (error instanceof SyntaxError ? 'bad-json' : 'bad-argument'), message);
}

/** Answers a request that failed; ours are logged and told as `internal`. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = asHubError(error);
  if (!known) request.log.error({ err: error }, 'a request failed');
  const told = known ?? new HubError('internal');
  const { retry } = told.facts;
  if (retry !== undefined) reply.header('retry-after', retry);
  // A page asks for the password itself; the browser's own window would stand before it.
  const isScript = ['cors', 'same-origin', 'no-cors'].includes(String(request.headers['sec-fetch-mode']));
  if (errors[told.code].http === 401 && !isScript) {
    reply.header('www-authenticate', 'Basic realm="partyline", charset="UTF-8"');
  }
  return reply.code(errors[told.code].http).type('application/json').send(errorBody(told));
}
