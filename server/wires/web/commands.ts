/** `POST /api/commands/:name`: every command of table 1, with rows as JSON or NDJSON, and the cookie of whoever enters. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Command } from '../../../shared/commands/command.ts';
import { type CommandName, commands, isCommandName } from '../../../shared/commands/index.ts';
import { HubError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import type { Exchange, Session } from '../../hub/session.ts';
import { credentialIn, originOf, visitorOf, type WebContext } from './context.ts';
import { asHubError, errorBody } from './status.ts';
import { cookieName } from './visitors.ts';

type Fields = Readonly<Record<string, unknown>>;
interface CommandRequest {
  Params: { name: string };
  Querystring: Record<string, string>;
}

const cookieRules = { path: '/', httpOnly: true, sameSite: 'lax' } as const;

export async function commandRoutes(app: FastifyInstance, context: WebContext): Promise<void> {
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_r, body, done) => done(null, body));

  app.post<CommandRequest>('/api/commands/:name', { bodyLimit: limits.blobOctetsMax }, async (request, reply) => {
    const { name, entry } = entryOf(request.params.name);
    if (entry.content === 'out') throw new HubError('bad-argument', 'contents come from GET /files/room/path');
    const fields = fieldsOf(request);
    if (entry.open) return enter(context, name, fields, request, reply);
    const { session } = await visitorOf(context, request);
    const exchange: Exchange = {
      ...contentOf(request),
      signal: entry.endless ? AbortSignal.any([session.signal, closeOf(reply)]) : session.signal,
      connection: context.observer?.of(request.raw.socket)?.id,
    };
    if (String(request.headers.accept).includes('application/x-ndjson')) {
      return streamRows(context, session, name, fields, exchange, reply);
    }
    const { rows, row } = gather();
    const output = await context.hub.execute(session, name, fields, { ...exchange, row });
    return entry.rows ? { ...output, rows } : output;
  });

  app.get('/api/session', async request => {
    const { session } = await visitorOf(context, request);
    return context.hub.execute(session, 'WHOAMI', {});
  });

  app.delete('/api/session', async (request, reply) => {
    const visitor = await visitorOf(context, request);
    await context.visitors.forget(visitor, credentialIn(request)!);
    return reply.clearCookie(cookieName, cookieRules).code(204).send();
  });
}

function entryOf(word: string): { readonly name: CommandName; readonly entry: Command } {
  const name = word.toUpperCase();
  if (isCommandName(name)) return { name, entry: commands[name] };
  throw new HubError('unknown-command', `there is no ${word}; /openapi.json lists all`);
}

function fieldsOf({ body, query }: FastifyRequest<CommandRequest>): Fields {
  if (body === undefined || body === null || Buffer.isBuffer(body)) return query;
  if (typeof body !== 'object' || Array.isArray(body)) throw new HubError('bad-json');
  return body as Fields;
}

function contentOf({ body }: FastifyRequest): Pick<Exchange, 'content'> {
  return Buffer.isBuffer(body) ? { content: { octets: body.length, pieces: [body] } } : {};
}

/** NICK, LOGIN, TOKEN and REGISTER make a session of their own, for which a cookie stands from then on. */
async function enter(
  { hub, visitors }: WebContext,
  name: CommandName,
  fields: Fields,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const origin = originOf(request);
  const session = hub.connect(origin);
  try {
    const output = await hub.execute(session, name, fields);
    const value = await visitors.keep(session);
    if (!session.person?.isGuest) hub.disconnect(session);
    reply.setCookie(cookieName, value, { ...cookieRules, secure: origin.secure, maxAge: 30 * 24 * 3_600 });
    return output;
  } catch (error) {
    hub.disconnect(session);
    throw error;
  }
}

/** Whoever asked for what has no end has gone. */
function closeOf({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.on('close', () => gone.abort());
  return gone.signal;
}

function gather() {
  const rows: Fields[] = [];
  const row = (fields: Fields, event?: string) => {
    if (rows.length === limits.jsonRowsMax) {
      throw new HubError('too-large', `more than ${limits.jsonRowsMax} rows; ask with Accept: application/x-ndjson`);
    }
    rows.push(event === undefined ? fields : { event, ...fields });
  };
  return { rows, row };
}

/** A row a line, `{"ok":…}` or `{"error":…}` last; an error before the first row is an ordinary answer. */
async function streamRows(
  { hub }: WebContext,
  session: Session,
  name: CommandName,
  fields: Fields,
  exchange: Exchange,
  reply: FastifyReply,
) {
  const { raw } = reply;
  const begin = () => {
    if (raw.headersSent) return;
    reply.hijack();
    raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), 'content-type': 'application/x-ndjson' });
  };
  const write = (line: unknown): Promise<void> | undefined => {
    begin();
    if (raw.destroyed) throw new HubError('cancelled');
    if (raw.write(`${JSON.stringify(line)}\n`)) return undefined;
    return new Promise(resolve => {
      const over = () => {
        raw.off('drain', over);
        raw.off('close', over);
        resolve();
      };
      raw.on('drain', over).on('close', over);
    });
  };
  try {
    const row = (fields: Fields, event?: string) => write(event === undefined ? fields : { event, ...fields });
    const output = await hub.execute(session, name, fields, { ...exchange, row });
    await write({ ok: output });
  } catch (error) {
    if (!raw.headersSent) throw error;
    const known = asHubError(error);
    if (!known) reply.log.error({ err: error }, 'a request failed');
    if (!raw.destroyed) await write(errorBody(known ?? new HubError('internal')));
  }
  raw.end();
  return reply;
}
