/** Whether content to FIN follows a line: decided on what was written, before anything else of the request is looked at. */

import type { BadBody, Body } from '../../../shared/line/grammar.ts';
import type { Invalid } from '../../../shared/line/invalid.ts';

/** As words or JSON, in a line that could not be read. */
export const mentionsFin = /until\W{1,5}fin/i;

export function readsToFin(body: Body | BadBody, line: string): boolean {
  if (body.name !== 'PUT') return false;
  if ('fault' in body) return mentionsFin.test(line);
  return (body.keys.get('until') ?? body.json?.['until']) === 'fin';
}

/** The same for a line that never became a request. */
export function mayReadToFin({ verb, line }: Invalid): boolean {
  return verb === 'PUT' && line !== undefined && mentionsFin.test(line);
}
