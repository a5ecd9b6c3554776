/** What `bench ftp` consists of: each case starts its servers, measures and ends them. */
import { MIB } from '../../shared/limits.ts';
import { type Field, fitsInMemory, withField } from './field.ts';
import { measureLatency } from './latency.ts';
import { measureLogins, measureMirror } from './small.ts';
import { measureTransfer } from './transfer.ts';

const GIB = 1024 * MIB;

/** A GiB, or a quarter where that many of them do not lie in memory at once: no disk is to be measured. */
const big = (measure: (field: Field, rounds: number) => Promise<string>) => async (rounds: number) =>
  withField((await fitsInMemory(GIB)) ? GIB : GIB / 4, field => measure(field, rounds));
const small = (measure: (field: Field, rounds: number) => Promise<string>) => (rounds: number) =>
  withField(MIB, field => measure(field, rounds));

/** Name → a measurement in so many rounds, as Markdown. */
export const cases: Readonly<Record<string, (rounds: number) => Promise<string>>> = {
  retr: big((field, rounds) => measureTransfer(field, 'get', false, rounds)),
  stor: big((field, rounds) => measureTransfer(field, 'put', false, rounds)),
  'retr-tls': big((field, rounds) => measureTransfer(field, 'get', true, rounds)),
  'stor-tls': big((field, rounds) => measureTransfer(field, 'put', true, rounds)),
  mirror: small(measureMirror),
  logins: small(measureLogins),
  latency: big(measureLatency),
};
