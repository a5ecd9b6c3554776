/**
 * Whether the disk can be written to. A full disk refuses even removals, so a ballast file lies ready: it is let go when
 * the disk is full, and laid down again when there is room. What failed in another way is never tried again.
 */
import { randomFillSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, rm, stat, statfs } from 'node:fs/promises';
import type { Clock } from '../../../shared/clock.ts';
import { HubError } from '../../../shared/errors.ts';
import { MIB } from '../../../shared/limits.ts';
import type { Report, StoreTrouble } from '../../hub/host.ts';
import type { FaultPoint } from './fault-point.ts';
import { ballastPath } from './folders.ts';

const LOOK_AGAIN_MS = 1_000;

export interface DiskSpaceOptions {
  readonly dataDir: string;
  /** 0 for none. */
  readonly ballastOctets: number;
  readonly lowWaterOctets: number;
  readonly report: Report;
  readonly clock: Pick<Clock, 'now'>;
  readonly faultPoint: (point: FaultPoint) => void;
}

export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  #trouble: StoreTrouble | undefined;
  #looking: Promise<void> | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #freeOctets = 0;
  #measuredMs = Number.NEGATIVE_INFINITY;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
  }

  get trouble(): StoreTrouble | undefined {
    return this.#trouble;
  }

  /** Lays down the ballast; without room for it the trouble begins here. */
  async prepare(): Promise<void> {
    const { dataDir, ballastOctets } = this.#options;
    const held = await stat(ballastPath(dataDir)).catch(() => undefined);
    if (held?.size === ballastOctets) return;
    this.#trouble = 'no-space';
    await this.recover();
  }

  /** Ends `no-space` if there is room again; looks once a second at most. Never rejects. */
  recover(): Promise<void> {
    if (this.#looking) return this.#looking;
    if (this.#trouble !== 'no-space' || !this.#isLongAgo(this.#lookedMs)) return Promise.resolve();
    this.#lookedMs = this.#options.clock.now();
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async hasRoom(octets: number): Promise<boolean> {
    if (this.#trouble) await this.recover();
    if (this.#trouble) return false;
    if (this.#isLongAgo(this.#measuredMs)) await this.#measure();
    return this.#freeOctets - octets >= this.#options.lowWaterOctets;
  }

  /** Errors: `no-space`, `internal`; resolves while contents may be written. */
  async demand(): Promise<void> {
    if (this.#trouble === 'no-space') await this.recover();
    if (this.#trouble) throw this.refusal();
  }

  refusal(): HubError {
    if (this.#trouble === 'no-space') return new HubError('no-space');
    return new HubError('internal', 'the disk failed, nothing is written any more; the log of the server says why');
  }

  /** The disk is full: lets the ballast go. */
  full(cause: unknown): void {
    if (this.#trouble) return;
    this.#trouble = 'no-space';
    this.#lookedMs = this.#options.clock.now();
    const { dataDir, report, faultPoint } = this.#options;
    try {
      rmSync(ballastPath(dataDir), { force: true });
    } catch (error) {
      report({ what: 'letting the ballast go', error });
    }
    faultPoint('ballast-released');
    report({ what: 'the disk is full, uploads are refused', error: cause });
  }

  /** The disk failed: from here on the store is read-only. */
  failed(what: string, error: unknown): void {
    if (this.#trouble === 'read-only') return;
    this.#trouble = 'read-only';
    this.#options.report({ what: `${what}: the store is read-only from here on`, error });
  }

  /** The HubError for what a file operation threw, after what it means for the others. */
  explain(what: string, error: unknown): unknown {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT') this.full(error);
    else if (code === 'EIO' || code === 'EROFS') this.failed(what, error);
    else return error;
    return this.refusal();
  }

  #isLongAgo(timeMs: number): boolean {
    return Math.abs(this.#options.clock.now() - timeMs) >= LOOK_AGAIN_MS;
  }

  async #measure(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#options.dataDir);
    this.#freeOctets = bavail * bsize;
    this.#measuredMs = this.#options.clock.now();
  }

  async #look(): Promise<void> {
    const { ballastOctets, lowWaterOctets, report, faultPoint } = this.#options;
    try {
      await this.#measure();
      // As much again as the ballast, or the room that it left would end the trouble that it was left for.
      if (this.#freeOctets < 2 * ballastOctets + lowWaterOctets) return;
      await this.#layDown();
      faultPoint('ballast-restored');
      if (this.#trouble === 'no-space') this.#trouble = undefined;
    } catch (error) {
      report({ what: 'laying down the ballast', error });
    }
  }

  async #layDown(): Promise<void> {
    const { dataDir, ballastOctets } = this.#options;
    const path = ballastPath(dataDir);
    if (ballastOctets === 0) return;
    // Random octets: a file system that compresses would keep no room for zeros.
    const piece = randomFillSync(Buffer.alloc(Math.min(MIB, ballastOctets)));
    const file = await open(path, 'w');
    try {
      for (let left = ballastOctets; left > 0; left -= piece.length) {
        await file.writeFile(piece.subarray(0, Math.min(left, piece.length)));
      }
      await file.datasync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  }
}
