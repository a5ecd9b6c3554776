/** The library's public names, and only those. */
export { type Address, isAddress, parseAddress } from './address.ts';
export { HashMismatchError, OfflineError, PartylineError, TruncatedError } from './errors.ts';
export { type ConnectOptions, connect, guest, type Hub, password, registration, token } from './hub.ts';
export type { Progress } from './progress.ts';
export type { RequestOptions, Row } from './request.ts';
export type { Room } from './room.ts';
export type { Auth, Change, JoinOptions, Reconnect, State } from './session-options.ts';
export type { ReadRange } from './streams.ts';
export type { SyncOptions, SyncSummary } from './sync.ts';
export type { TransferOptions } from './transfer-options.ts';
export type { Summary } from './tree.ts';
export type { Verb, VerbInput, VerbOutput } from './verbs.ts';
