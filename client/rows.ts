/** A command's rows as a loop that may be left. */
import { PartylineError } from './errors.ts';
import { Mailbox } from './mailbox.ts';
import type { RequestOptions, Row } from './request.ts';
import type { Session } from './session.ts';
import type { Verb, VerbInput } from './verbs.ts';

/** They never hold up the connection: what the caller does not take yet waits here. Errors: those of the request. */
export async function* rowsOf<V extends Verb>(
  session: Session,
  verb: V,
  input: VerbInput<V>,
  options: RequestOptions = {},
): AsyncGenerator<Row> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const rows = new Mailbox<Row>();
  const onRow = (row: Row) => void rows.push(row);
  session.request(verb, input, { ...options, signal, onRow }).then(
    () => rows.end(),
    error => rows.end(error),
  );
  try {
    yield* rows;
  } finally {
    stop.abort(new PartylineError('cancelled', 'the loop over the rows was left'));
  }
}
