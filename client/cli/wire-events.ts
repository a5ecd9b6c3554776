/** Rows of WIRE as events. */

export type WireEvent = {
  readonly conn: string;
  readonly t: number;
  readonly kind: string;
  readonly side: string;
  readonly source: string;
  readonly [field: string]: unknown;
};

export function eventOf(fields: Readonly<Record<string, unknown>>): WireEvent {
  return { ...fields, t: Number(fields['t']) } as unknown as WireEvent;
}
