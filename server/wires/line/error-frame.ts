/** An error as its final line: a person's by its code, ours as `internal`, which the log explains. */
import type { FastifyBaseLogger } from 'fastify';
import { HubError } from '../../../shared/errors.ts';
import { formatFrame, type Style } from '../../../shared/line/grammar.ts';

export function errorFrame(
  label: string | undefined,
  verb: string,
  error: unknown,
  style: Style,
  log: FastifyBaseLogger,
): string {
  const known = error instanceof HubError ? error : undefined;
  if (!known) log.error({ err: error, verb }, 'a request failed');
  const { code, facts, message: text } = known ?? new HubError('internal');
  return formatFrame({ label, marker: '-', name: verb, code, fields: { ...facts, text } }, style);
}
