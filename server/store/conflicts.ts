/** Why a store refuses a transaction: the expectations of `Write` that did not hold, worded once for all stores. */
import { HubError } from '../../shared/errors.ts';

export const conflicts = {
  taken: (path: string) => new HubError('conflict', `${path} is there already`),
  missing: (path: string) => new HubError('conflict', `${path} is not there`),
  noFolder: (path: string) => new HubError('conflict', `there is no folder for ${path}`),
  otherType: (path: string) => new HubError('conflict', `${path} is a folder and the other is a file`),
  otherContent: (path: string) => new HubError('conflict', `${path} is not the file that was expected`),
  others: (path: string) => new HubError('conflict', `${path} is, or holds, what belongs to another person`),
  notEmpty: (path: string) => new HubError('conflict', `${path} is not empty`),
  otherVersion: (key: string) => new HubError('conflict', `${key} is not in the version that was expected`),
  noMessage: (room: string, seq: number) => new HubError('conflict', `there is no message ${seq} in ${room}`),
  noEvent: (room: string, seq: number) => new HubError('conflict', `there is no such event ${seq} in ${room}`),
  sameReaction: (room: string, seq: number) =>
    new HubError('conflict', `the reaction to ${seq} in ${room} is so already`),
} as const;
