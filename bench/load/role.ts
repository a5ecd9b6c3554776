/** A process of the load generator, seen from both sides: the bench asks over the channel of `fork`, the role answers. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Asked {
  readonly id: number;
  readonly request: unknown;
}

interface Answered {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

export interface Role<Request, Answer> {
  readonly pid: number;
  /** Errors: what the role says, or that it has ended. */
  ask(request: Request): Promise<Answer>;
  stop(): void;
}

/** Starts the module (`./sender.js`, next to this file) as a process. */
export function startRole<Request, Answer>(module: string): Role<Request, Answer> {
  const child: ChildProcess = fork(fileURLToPath(new URL(module, import.meta.url)), { execArgv: [] });
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  let asked = 0;
  child.on('message', message => {
    const { id, answer, error } = message as Answered;
    const promise = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) promise?.resolve(answer as Answer);
    else promise?.reject(new Error(error));
  });
  child.on('exit', code => {
    for (const { reject } of waiting.values()) reject(new Error(`${module} ended with ${code}`));
  });
  return {
    pid: child.pid ?? 0,
    ask: request =>
      new Promise((resolve, reject) => {
        waiting.set(++asked, { resolve, reject });
        child.send({ id: asked, request } satisfies Asked);
      }),
    stop: () => void child.kill(),
  };
}

/** The role's side: answers each request with what `handle` resolves to. */
export function serveRole<Request, Answer>(handle: (request: Request) => Promise<Answer>): void {
  process.on('message', message => {
    const { id, request } = message as Asked;
    handle(request as Request).then(
      answer => process.send?.({ id, answer } satisfies Answered),
      (error: Error) => process.send?.({ id, error: error.message } satisfies Answered),
    );
  });
  process.on('disconnect', () => process.exit(0));
}

/** Milliseconds of a clock that all processes of the machine share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Processor time of this process so far, in milliseconds. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
