/** An HTTP answer whose octets come from the hub piece by piece: each is taken before the next one is read. */
import type { FastifyReply } from 'fastify';
import { HubError } from '../../../shared/errors.ts';

export class Outlet {
  readonly #reply: FastifyReply;
  readonly #status: number;

  constructor(reply: FastifyReply, status: number) {
    this.#reply = reply;
    this.#status = status;
  }

  /** Headers leave with the first octets, so that what fails before them is an ordinary error. */
  begin(): void {
    const { raw } = this.#reply;
    if (raw.headersSent) return;
    this.#reply.hijack();
    raw.writeHead(this.#status, this.#reply.getHeaders() as Record<string, string>);
  }

  /** Resolves when the socket has taken the octets, so that their buffer may be used again. Error: `cancelled`. */
  write(octets: Uint8Array): Promise<void> {
    this.begin();
    const { raw } = this.#reply;
    return new Promise((resolve, reject) => {
      const lost = () => reject(new HubError('cancelled', 'the connection has ended'));
      if (raw.destroyed) return lost();
      raw.once('close', lost);
      raw.write(octets, error => {
        raw.off('close', lost);
        if (error) lost();
        else resolve();
      });
    });
  }

  end(): void {
    this.begin();
    this.#reply.raw.end();
  }

  /** What has begun cannot become an error any more: the connection breaks, so that nobody takes a part for the whole. True if so. */
  broke(): boolean {
    const { raw } = this.#reply;
    if (!raw.headersSent) return false;
    raw.destroy();
    return true;
  }
}
