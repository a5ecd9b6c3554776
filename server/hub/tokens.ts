/** Tokens: secrets that enter instead of a password, with less than the whole where they say so. Shown once, kept as sha256. */
import { createHash } from 'node:crypto';
import type { Action } from '../../shared/commands/command.ts';
import { documentsOf } from './documents.ts';
import type { Domain } from './handlers.ts';
import type { Document } from './host.ts';
import type { Scope } from './session.ts';

/** The document of kind `token` under the sha256 of the secret. */
export interface Token {
  readonly id: string;
  /** Folded account name. */
  readonly account: string;
  readonly createdMs: number;
  readonly untilMs?: number;
  readonly label?: string;
  readonly room?: string;
  readonly actions?: readonly Action[];
}

function keyOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Undefined for one that is not known, or over. */
export async function readToken({ store, clock }: Domain, secret: string): Promise<Token | undefined> {
  const token = (await store.document<Token>('token', keyOf(secret)))?.value;
  return token && (token.untilMs === undefined || token.untilMs > clock.now()) ? token : undefined;
}

export async function mintToken({ store, random, clock }: Domain, facts: Omit<Token, 'id' | 'createdMs'>) {
  const secret = `pl_${random.token(30)}`;
  const token: Token = { ...facts, id: `t_${random.token(6)}`, createdMs: clock.now() };
  await store.commit([{ kind: 'put-document', document: 'token', key: keyOf(secret), value: token, expect: 0 }]);
  return { secret, id: token.id };
}

/** All of them, or those of an account. */
export async function* tokensOf({ store }: Pick<Domain, 'store'>, account?: string): AsyncIterable<Document<Token>> {
  for await (const document of documentsOf<Token>(store, 'token')) {
    if (account === undefined || document.value.account === account) yield document;
  }
}

/** Undefined for a token that leaves everything. */
export function scopeOf({ room, actions }: Token): Scope | undefined {
  if (room === undefined && !actions) return undefined;
  return { ...(room !== undefined && { room }), ...(actions && { actions }) };
}
