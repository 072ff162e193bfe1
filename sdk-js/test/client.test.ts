import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';
import { inspect } from 'node:util';

import {
  ArgumentError,
  CallTimeoutError,
  ConnectionFailedError,
  DecodingError,
  DhatuError,
  NotFoundError,
} from '../src/runtime/errors.js';
import { CREATE, GET, json, Library, LibraryAPI } from './library.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a call over a socket', async () => {
  const url = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.setHeader('x-request-id', 'r1');
    response.setHeader('content-type', 'application/json');
    response.statusCode = 201;
    response.end(JSON.stringify({ id: request.headers['x-api-key'], body }));
  });
  const client = new LibraryAPI({ baseURL: url, apiKey: 'k' });
  const { data, response } = await client.call(CREATE, { title: 'om' }).withResponse();
  assert.deepEqual(data, { id: 'k', body: '{"title":"om"}' });
  assert.deepEqual([response.status, response.requestId, response.attempts], [201, 'r1', 1]);
});

test('an error over a socket says what the server said', async () => {
  const url = await serve((_, response) =>
    response
      .writeHead(404, { 'content-type': 'application/problem+json' })
      .end('{"title":"Not Found","detail":"There is no document a."}'),
  );
  await assert.rejects(new LibraryAPI({ baseURL: url }).call(GET, { id: 'a' }), (error) => {
    assert.ok(error instanceof NotFoundError);
    assert.match(error.message, /documents\.get: 404 Not Found: There is no document a/);
    return true;
  });
});

test('what the caller may see of an answer comes first', async () => {
  const library = new Library(json({ id: 'a' }, { headers: { 'x-request-id': 'r' } }));
  const seen: unknown[] = [];
  const value = library
    .client()
    .call(GET, { id: 'a' }, { onAnswer: ({ requestId }) => seen.push(requestId) });
  assert.deepEqual(await value, { id: 'a' });
  assert.deepEqual(seen, ['r']);
});

test('attempts and the time left are told', async () => {
  const library = new Library(json({}, { status: 503 }), json({ id: 'a' }));
  await library.clock.finish(library.client({ timeoutMs: 10_000 }).call(GET, { id: 'a' }));
  assert.deepEqual(
    library.arrivals.map(({ headers }) => [
      headers.get('x-library-attempt'),
      headers.get('x-library-timeout-ms'),
    ]),
    [
      ['1', '10000'],
      ['2', '9750'],
    ],
  );
});

test('a call that is aborted is rejected with the reason of its signal, wherever it is', async () => {
  const waits: [string, Library, (library: Library) => Promise<unknown>][] = [
    ['before it begins', new Library(json({})), async () => {}],
    ['while it is answered', new Library(() => new Promise(() => {})), (library) => library.clock.advance(0)],
    [
      'while it waits to try again',
      new Library(json({}, { status: 503 })),
      (library) => library.clock.advance(0),
    ],
    [
      'while its body arrives',
      new Library(async () => new Response(new ReadableStream())),
      (library) => library.clock.advance(0),
    ],
    [
      'while it is paced',
      new Library(json({ id: 'a' }, { headers: { ratelimit: '"a";r=0;t=30' } })),
      async (library) => {
        await library.clock.advance(0);
      },
    ],
  ];
  for (const [about, library, wait] of waits) {
    const client = library.client();
    if (about.includes('paced')) await client.call(GET, { id: 'a' });
    const controller = new AbortController();
    const reason = new Error('enough');
    const call = assert.rejects(
      client.call(GET, { id: 'a' }, { signal: controller.signal }),
      (error) => error === reason,
      about,
    );
    await wait(library);
    controller.abort(reason);
    await call;
    assert.equal(library.clock.pending, 0, about);
  }
});

test('a signal that has fired sends nothing', async () => {
  const library = new Library(json({}));
  await assert.rejects(
    library.client().call(GET, { id: 'a' }, { signal: AbortSignal.abort('no') }),
    (reason) => reason === 'no',
  );
  assert.equal(library.arrivals.length, 0);
});

test('a call that is aborted while its token is fetched', async () => {
  const library = new Library(json({}));
  const controller = new AbortController();
  const client = library.client({ token: () => new Promise(() => {}) });
  const call = assert.rejects(
    client.call(GET, { id: 'a' }, { signal: controller.signal }),
    (reason) => reason === 'enough',
  );
  await library.clock.advance(0);
  controller.abort('enough');
  await call;
});

test('the time for a call covers its body', async () => {
  const library = new Library(async () => new Response(new ReadableStream()));
  const call = assert.rejects(
    library.client({ timeoutMs: 1000, maxRetries: 0 }).call(GET, { id: 'a' }),
    CallTimeoutError,
  );
  await library.clock.advance(1000);
  await call;
});

test('times and options that are none are refused', async () => {
  const client = new Library(json({})).client();
  await assert.rejects(client.call(GET, { id: 'a' }, { timeoutMs: 0 }), /timeoutMs must be/);
  await assert.rejects(client.call(GET, { id: 'a' }, { maxRetries: -1 }), /maxRetries must be/);
  await assert.rejects(client.call(GET, {}), ArgumentError);
});

test('a deprecated operation warns once for each client, as does a server', async () => {
  const library = new Library(json({ id: 'a' }, { headers: { deprecation: '@1688169599' } }));
  const client = library.client();
  const old = { ...GET, key: 'documents.old', deprecated: 'documents.old goes away; use documents.get' };
  for (const operation of [old, old, GET, GET]) await client.call(operation, { id: 'a' });
  await client.withOptions({ timeoutMs: 5 }).call(old, { id: 'a' });
  assert.deepEqual(library.clock.warnings, [
    'documents.old goes away; use documents.get',
    'documents.get is deprecated since 2023-06-30',
  ]);
});

test('no error shows a secret', async () => {
  const secret = 'dhk_1_very-secret_c0ffee';
  const replies = [
    json({ title: 'Unauthorized' }, { status: 401 }),
    new Response('', { status: 500 }),
    new Response('<', { headers: { 'content-type': 'application/json' } }),
    new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }),
    new TypeError(
      `error sending request for url (https://api.library.test/v1/documents/a?also=${secret}&key=${secret})`,
    ),
  ];
  for (const reply of replies) {
    const client = new Library(reply).client({ apiKey: secret, token: secret, maxRetries: 0 });
    const operation = { ...GET, security: [['queryKey', 'bearer']] };
    await assert.rejects(client.call(operation, { id: 'a' }, { extraQuery: { also: secret } }), (error) => {
      assert.ok(error instanceof DhatuError, inspect(error));
      return !inspect(error, { depth: 9, showHidden: true }).includes(secret);
    });
  }
});

test('an answer that is no JSON, and nobody there', async () => {
  const garbled = new Response('<', { headers: { 'content-type': 'application/json' } });
  await assert.rejects(new Library(garbled).client().call(GET, { id: 'a' }), DecodingError);
  const refused = new Library(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }));
  await assert.rejects(refused.clock.finish(refused.client().call(GET, { id: 'a' })), ConnectionFailedError);
  assert.equal(refused.arrivals.length, 3);
});

test('the answer itself', async () => {
  const library = new Library(json({ id: 'a' }, { headers: { etag: '"1"' } }));
  const response = await library.client().call(GET, { id: 'a' }).asResponse();
  assert.equal(response.headers.get('etag'), '"1"');
  assert.deepEqual(await response.parse(), { id: 'a' });
});

test('what only some clients need is loaded before their first call', async () => {
  const library = new Library(json({ id: 'a' }));
  const client = library.client({
    baseURL: ['https://a.test', 'https://b.test'],
    resilience: { hedge: {}, balance: { algorithm: 'round_robin' } },
  });
  for (let call = 0; call < 20; call++) await client.call(GET, { id: 'a' });
  const hosts = new Set(library.arrivals.map(({ url }) => new URL(url).host));
  assert.deepEqual([...hosts].sort(), ['a.test', 'b.test']);
});

test('whoever listens is told', async () => {
  const library = new Library(json({ id: 'a' }));
  const events: object[] = [];
  await library.client({ onEvent: (event: object) => events.push(event) }).call(GET, { id: 'a' });
  assert.ok(events.length >= 3);
});

test('a call that brings its own Authorization asks for no token', async () => {
  const library = new Library(json({}));
  const client = library.client({ token: () => assert.fail('asked') });
  await client.call(GET, { id: 'a' }, { extraHeaders: { Authorization: 'Bearer mine' } });
  assert.equal(library.arrivals[0]?.headers.get('authorization'), 'Bearer mine');
});
