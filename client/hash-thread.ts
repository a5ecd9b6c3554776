/** The client's end of `hash-worker.ts`: one thread for all transfers of a hub, started when it is first needed. */
import { Worker } from 'node:worker_threads';
import type { Walked } from './hash-walk.ts';

export type HashRequest =
  /** See HashWalk. */
  | {
      readonly do: 'walk';
      readonly id: number;
      readonly fd: number;
      readonly end: number;
      readonly expected: readonly string[];
    }
  | { readonly do: 'forget'; readonly id: number };

interface Waiting {
  readonly resolve: (walked: Walked) => void;
  readonly reject: (error: unknown) => void;
}

/** It keeps the process alive only while an answer is awaited. */
export class HashThread {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #requests = 0;
  #ids = 0;

  nextId(): number {
    return ++this.#ids;
  }

  /** Errors: what reading the file says; the thread's end. */
  ask(request: HashRequest): Promise<Walked> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const number = ++this.#requests;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      if (this.#waiting.size === 1) worker.ref();
      worker.postMessage([number, request]);
    });
  }

  /** At once; who still waits is told. */
  end(): void {
    const worker = this.#worker;
    this.#lose(new Error('the hub is closed'));
    void worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./hash-worker.js', import.meta.url));
    worker.unref();
    worker.on('message', ([number, walked, error]: readonly [number, Walked, unknown]) => {
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (this.#waiting.size === 0) worker.unref();
      if (error === undefined) waiting?.resolve(walked);
      else waiting?.reject(error);
    });
    worker.on('error', error => this.#lose(error));
    return worker;
  }

  #lose(error: Error): void {
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
