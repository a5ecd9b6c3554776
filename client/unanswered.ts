/** The requests of a link that have no final line yet, by label, and which of them have waited too long. */
import { PartylineError, TruncatedError } from './errors.ts';
import type { RequestOptions, Values } from './request.ts';

export interface Pending {
  readonly verb: string;
  readonly onRow: RequestOptions['onRow'];
  /** Undefined once nobody waits any more. */
  readonly timeoutMs: number | undefined;
  readonly sinceMs: number;
  resolve(fields: Values): void;
  reject(error: Error): void;
}

export class Unanswered {
  readonly #pending = new Map<string, Pending>();

  add(label: string, request: Omit<Pending, 'resolve' | 'reject'>): Promise<Values> {
    return new Promise((resolve, reject) => this.#pending.set(label, { ...request, resolve, reject }));
  }

  get(label: string | undefined): Pending | undefined {
    return label === undefined ? undefined : this.#pending.get(label);
  }

  /** It is answered, and waits no more. */
  take(label: string | undefined): Pending | undefined {
    const pending = this.get(label);
    if (label !== undefined) this.#pending.delete(label);
    return pending;
  }

  /**
   * The caller no longer waits; the final line is taken silently when it comes, so the link stays in step. False if
   * nobody waited.
   */
  abandon(label: string, reason: Error): boolean {
    const pending = this.#pending.get(label);
    if (pending?.timeoutMs === undefined) return false;
    const deaf = { onRow: undefined, timeoutMs: undefined, resolve: () => undefined, reject: () => undefined };
    this.#pending.set(label, { ...pending, ...deaf });
    pending.reject(reason);
    return true;
  }

  /** Labels and errors of those that have waited too long, and when the next one will have. */
  overdue(nowMs: number, lastInputMs: number): { readonly late: readonly [string, Error][]; readonly nextMs: number } {
    const late: [string, Error][] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [label, { verb, timeoutMs, sinceMs }] of this.#pending) {
      if (timeoutMs === undefined) continue;
      const dueMs = Math.max(lastInputMs, sinceMs) + timeoutMs;
      if (dueMs > nowMs) nextMs = Math.min(nextMs, dueMs);
      else late.push([label, new PartylineError('timeout', `no answer for ${timeoutMs / 1000} s`, { verb, label })]);
    }
    return { late, nextMs };
  }

  /** The link is over. */
  rejectAll(lost: Error): void {
    for (const { verb, reject } of this.#pending.values()) {
      reject(lost instanceof PartylineError ? new TruncatedError(lost.message, { verb, cause: lost }) : lost);
    }
    this.#pending.clear();
  }
}
