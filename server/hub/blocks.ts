/** Accounts and addresses that are kept out of the whole hub, on every wire: in memory for each connection, in the store for the next start. */
import { formatTime } from '../../shared/clock.ts';
import { HubError } from '../../shared/errors.ts';
import type { Domain } from './handlers.ts';
import { why } from './permissions.ts';

/** The document of kind `block` under `account:` or `address:` and its name. */
export interface Block {
  readonly by: string;
  readonly reason: string;
  /** Milliseconds since 1970; without it for good. */
  readonly untilMs?: number;
}

export type BlockKey = `${'account' | 'address'}:${string}`;

export class Blocks {
  readonly #domain: Pick<Domain, 'store' | 'clock' | 'sessions'>;
  readonly #blocks = new Map<BlockKey, Block>();

  private constructor(domain: Pick<Domain, 'store' | 'clock' | 'sessions'>) {
    this.#domain = domain;
  }

  static async load(domain: Pick<Domain, 'store' | 'clock' | 'sessions'>): Promise<Blocks> {
    const blocks = new Blocks(domain);
    for (let after: string | undefined; ; ) {
      const page = await domain.store.documents<Block>('block', { limit: 500, ...(after !== undefined && { after }) });
      for (const { key, value } of page) blocks.#blocks.set(key as BlockKey, value);
      after = page.at(-1)?.key;
      if (page.length < 500) return blocks;
    }
  }

  /** Error: `banned` with reason and end. */
  demandNone(key: BlockKey): void {
    const block = this.#blocks.get(key);
    if (!block || (block.untilMs !== undefined && block.untilMs <= this.#domain.clock.now())) return;
    const what = key.startsWith('account:') ? 'this account' : 'your address';
    throw new HubError('banned', `${what} is kept out of this hub${why(block)}`);
  }

  /** Ends the sessions it concerns; resolves with how many. */
  async add(key: BlockKey, block: Block): Promise<number> {
    this.#blocks.set(key, block);
    await this.#domain.store.commit([{ kind: 'put-document', document: 'block', key, value: block }]);
    let count = 0;
    for (const session of [...this.#domain.sessions.values()]) {
      const isMeant =
        key === `address:${session.origin.address}` || key === `account:${session.person?.principal.slice(2)}`;
      if (!isMeant) continue;
      session.revoke();
      count++;
    }
    return count;
  }

  /** Error: `no-user`. */
  async remove(key: BlockKey): Promise<void> {
    if (!this.#blocks.delete(key))
      throw new HubError('no-user', `${key.slice('account:'.length)} is not on the list; see BLOCKS`);
    await this.#domain.store.commit([{ kind: 'remove-document', document: 'block', key }]);
  }

  /** Those that are over are forgotten here. */
  *all(): Iterable<{ readonly key: BlockKey; readonly by: string; readonly until?: string; readonly reason: string }> {
    const now = this.#domain.clock.now();
    for (const [key, { by, reason, untilMs }] of this.#blocks) {
      if (untilMs !== undefined && untilMs <= now) this.remove(key).catch(() => undefined);
      else yield { key, by, reason, ...(untilMs !== undefined && { until: formatTime(untilMs) }) };
    }
  }
}
