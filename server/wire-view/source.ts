/** What a source of events beside the application is: found or missed when a view begins, running while one is open. */

export interface Finding {
  readonly isFound: boolean;
  /** For people: what it gives, or why it does not. */
  readonly words: string;
}

/** What is watched, as the sources need to know it. */
export interface Watched {
  /** Of ports, `pairOf` both ways round. */
  readonly pairs: readonly number[];
  /** Some of them are IPv6 to the kernel. */
  readonly isSix: boolean;
  /** Much is about to happen. */
  readonly isUrgent: boolean;
}

/** Ports of the server, and those of its data connections. */
export interface Ports {
  readonly ports: readonly number[];
  readonly ranges: readonly (readonly [first: number, last: number])[];
}

export interface Running {
  /** It tells from here on. */
  readonly ready: Promise<unknown>;
  watch(watched: Watched): void;
  stop(): void;
}

export interface Source<Report> {
  readonly name: string;
  find(): Promise<Finding>;
  /** `lost`: it ended by itself, and why. */
  start(events: { tell(report: Report): void; lost(why: string): void }, ports: Ports): Running;
}
