/**
 * Requests to a worker thread and their answers, by number. The thread starts with the first request, and keeps the
 * process alive only while an answer is awaited. `serveRequests` is the worker's end.
 */
import { parentPort, Worker } from 'node:worker_threads';
import { type ErrorCode, HubError, isErrorCode } from '../../shared/errors.ts';

type Request = readonly [number: number, message: unknown];
type Answer = readonly [number: number, value: unknown, failure?: { readonly message: string; readonly code?: string }];

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

export class WorkerLink<Message> {
  readonly #start: () => Worker;
  readonly #onLost: (error: Error) => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lost: Error | undefined;
  #requests = 0;

  /** `onLost` is called once, when the thread has died by itself; it is not started again. */
  constructor(url: URL, workerData: unknown, onLost: (error: Error) => void) {
    this.#start = () => new Worker(url, { workerData });
    this.#onLost = onLost;
  }

  /** Requests that have no answer yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** `transfer` names memory that goes over to the thread without a copy. Resolves with the answer; rejects with a HubError or plain Error as the worker threw it, or if the worker died. */
  ask<T>(message: Message, transfer: readonly ArrayBuffer[] = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#lost) return reject(this.#lost);
      const worker = this.#running();
      const number = ++this.#requests;
      worker.postMessage([number, message] satisfies Request, transfer);
      this.#waiting.set(number, { resolve, reject });
      if (this.#waiting.size === 1) worker.ref();
    });
  }

  /** As `ask`, but nobody waits. */
  tell(message: Message): void {
    if (!this.#lost) this.#running().postMessage([0, message] satisfies Request);
  }

  /** Ends the thread at once; who still waits is rejected. */
  async end(): Promise<void> {
    this.#lost ??= new Error('the worker has ended');
    await this.#worker?.terminate();
    this.#rejectAll(this.#lost);
  }

  #running(): Worker {
    if (this.#worker) return this.#worker;
    const worker = this.#start();
    worker.unref();
    worker.on('message', (answer: Answer) => this.#answered(worker, answer));
    worker.on('error', error => this.#died(error));
    worker.on('exit', code => this.#died(new Error(`a worker ended with code ${code}`)));
    this.#worker = worker;
    return worker;
  }

  #answered(worker: Worker, [number, value, failure]: Answer): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    // An answer may still come while the thread is ended, and then `end` is what the process waits for.
    if (this.#waiting.size === 0 && !this.#lost) worker.unref();
    if (failure) waiting?.reject(revive(failure));
    else waiting?.resolve(value as never);
  }

  #died(error: Error): void {
    if (this.#lost) return;
    this.#lost = error;
    this.#onLost(error);
    this.#rejectAll(error);
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function revive({ message, code }: { readonly message: string; readonly code?: string }): Error {
  return code !== undefined && isErrorCode(code) ? new HubError(code satisfies ErrorCode, message) : new Error(message);
}

/** In a worker: answers each request with what `handle` gives; where it gives a promise, answers may overtake. */
export function serveRequests<Message>(handle: (message: Message) => unknown): void {
  const port = parentPort;
  if (!port) throw new Error('this module is a worker');
  const refuse = (number: number, error: unknown) => {
    if (number === 0) return;
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof HubError ? { code: error.code } : {};
    port.postMessage([number, undefined, { message, ...code }] satisfies Answer);
  };
  const answer = (number: number, value: unknown) => {
    if (number !== 0) port.postMessage([number, value] satisfies Answer);
  };
  port.on('message', ([number, message]: Request) => {
    try {
      const value = handle(message as Message);
      if (!(value instanceof Promise)) return answer(number, value);
      value.then(
        result => answer(number, result),
        error => refuse(number, error),
      );
    } catch (error) {
      refuse(number, error);
    }
  });
}
