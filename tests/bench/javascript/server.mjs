/** Answers every request with the same small JSON, in a process of its own; prints its port. */

import { createServer } from 'node:http';
import { OVERVIEW } from './answers.mjs';

const body = JSON.stringify(OVERVIEW);
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };

const server = createServer({ keepAliveTimeout: 600_000 }, (_, response) => {
  response.writeHead(200, headers).end(body);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
