/** OpenAPI and AsyncAPI descriptions of the web wire, made from table 1, the events and the table of errors. */
import * as z from 'zod';
import type { Command } from '../../../shared/commands/command.ts';
import { commands } from '../../../shared/commands/index.ts';
import { errors } from '../../../shared/errors.ts';
import { eventSchemas } from '../../../shared/events.ts';
import { BinaryHead, ClientEnvelope, ServerEnvelope } from '../../../shared/web/envelope.ts';

type Json = Record<string, unknown>;

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return rest;
}

const json = (schema: Json) => ({ 'application/json': { schema } });
const errorAnswer = { description: 'refused', content: json({ $ref: '#/components/schemas/Error' }) };

function commandPath(entry: Command): Json {
  const input = schemaOf(entry.input, 'input');
  const rows = entry.rows === 'events' ? {} : entry.rows && schemaOf(entry.rows, 'input');
  const output = schemaOf(entry.output, 'input');
  const answer = rows
    ? { allOf: [output, { type: 'object', properties: { rows: { type: 'array', items: rows } } }] }
    : output;
  return {
    post: {
      summary: entry.summary,
      ...(entry.open && { security: [] }),
      requestBody: { content: json(input) },
      responses: { 200: { description: 'done', content: json(answer) }, default: errorAnswer },
    },
  };
}

const octets = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
const entryAnswer = (status: number) => ({
  responses: { [status]: { description: 'done', content: json({ type: 'object' }) }, default: errorAnswer },
});

const filePath: Json = {
  parameters: [
    { name: 'path', in: 'path', required: true, schema: { type: 'string' }, description: 'room/folder/name' },
  ],
  get: {
    summary: 'Receive a file or a range of it; list a folder; with ?zip all that is in it.',
    responses: {
      200: { description: 'the file, or the folder as JSON', content: octets },
      206: { description: 'the range', content: octets },
      304: { description: 'the reader has it' },
      416: { description: 'the range is not there' },
      default: errorAnswer,
    },
  },
  put: { summary: 'Send a file.', requestBody: { content: octets }, ...entryAnswer(201) },
  delete: { summary: 'Remove a file or an empty folder; with ?recursive all that is in it.', ...entryAnswer(200) },
};

export function openApi(hub: string): Json {
  const served = Object.entries<Command>(commands).filter(([, { content }]) => content !== 'out');
  return {
    openapi: '3.1.0',
    info: { title: `partyline hub ${hub}`, version: '1' },
    security: [{ cookie: [] }, { bearer: [] }, { basic: [] }],
    paths: {
      ...Object.fromEntries(served.map(([name, entry]) => [`/api/commands/${name}`, commandPath(entry)])),
      '/api/session': {
        get: { summary: 'Say who this is.', ...entryAnswer(200) },
        delete: { summary: 'Sign out.', responses: { 204: { description: 'signed out' }, default: errorAnswer } },
      },
      '/files/{path}': filePath,
      '/tus': {
        post: {
          summary:
            'Begin or find a resumable upload by tus 1.0, to which HEAD, PATCH and DELETE of its Location belong.',
          responses: { 201: { description: 'the upload is at Location' }, default: errorAnswer },
        },
      },
    },
    components: {
      securitySchemes: {
        cookie: { type: 'apiKey', in: 'cookie', name: 'partyline' },
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic' },
      },
      schemas: { Error: errorSchema },
    },
  };
}

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'text'],
      properties: {
        code: { enum: Object.keys(errors) },
        text: { type: 'string' },
        at: { type: 'string' },
        retry: { type: 'number' },
      },
    },
  },
};

export function asyncApi(hub: string): Json {
  const message = (schema: z.ZodType) => ({ payload: schemaOf(schema, 'input') });
  const names = ['request', 'answer', 'binary', ...Object.keys(eventSchemas)];
  return {
    asyncapi: '3.0.0',
    info: { title: `partyline hub ${hub}`, version: '1' },
    channels: {
      socket: {
        address: '/ws',
        messages: Object.fromEntries(names.map(name => [name, { $ref: `#/components/messages/${name}` }])),
      },
    },
    operations: {
      ask: { action: 'receive', channel: { $ref: '#/channels/socket' } },
      tell: { action: 'send', channel: { $ref: '#/channels/socket' } },
    },
    components: {
      messages: {
        request: message(ClientEnvelope),
        answer: message(ServerEnvelope),
        binary: { ...message(BinaryHead), contentType: 'application/octet-stream' },
        ...Object.fromEntries(Object.entries(eventSchemas).map(([name, schema]) => [name, message(schema)])),
      },
    },
  };
}
