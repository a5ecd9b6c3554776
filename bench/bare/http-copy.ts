/** The limit of the platform for files over HTTP: bare `node:http`. PUT goes into the file and is synced, GET is the file. */
import { createReadStream, createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';

const path = process.argv[2] ?? '';
const MIB = 1024 * 1024;

const server = createServer(async (request, response) => {
  if (request.method === 'PUT') {
    await pipeline(request, createWriteStream(path, { flush: true, highWaterMark: MIB }));
    response.writeHead(201).end();
  } else await pipeline(createReadStream(path, { highWaterMark: MIB }), response);
});
server.listen(0, '127.0.0.1', () => {
  const bound = server.address();
  if (typeof bound === 'object' && bound) process.stdout.write(`listening ${bound.port}\n`);
});
