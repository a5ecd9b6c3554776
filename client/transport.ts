/** The octets' way to a server, whatever carries them: TCP, TLS, later a WebSocket. */

export interface TransportEvents {
  data(octets: Uint8Array): void;
  /** No more will come. `error` where the way broke rather than ended. */
  end(error?: Error): void;
}

export interface Transport {
  /** Kept until the peer takes it; what may be under way is bounded by who asks. */
  write(parts: readonly (string | Uint8Array)[]): void;
  pause(): void;
  resume(): void;
  /** FIN after all that was written; input goes on. */
  end(): void;
  destroy(): void;
}

/** Opens a way and hands events to `events`. Rejects when it cannot be opened or the signal aborts. */
export type OpenTransport = (events: TransportEvents, signal?: AbortSignal) => Promise<Transport>;
