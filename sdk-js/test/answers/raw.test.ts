/** Answers with all that came. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { bytesAnswer } from '../../src/runtime/answers/binary.js';
import { jsonAnswer, textAnswer } from '../../src/runtime/answers/responses.js';
import { object, string } from '../../src/runtime/answers/shapes.js';
import type { ResponseSpec } from '../../src/runtime/call.js';
import {
  ArgumentError,
  ConnectionLostError,
  DecodingError,
  NotFoundError,
} from '../../src/runtime/errors.js';
import { GET, Library } from '../library.js';
import { all, arriving, BROKEN, EVENTS, events, operation, Pieces, utf8 } from './arriving.js';

const HEADERS = { 'content-type': 'application/json', 'x-request-id': 'r-7', 'x-left': '3' };

function raw<T>(response: ResponseSpec, reply: Response | (() => Promise<Response>)) {
  return new Library(reply).client().call(operation<T>(response), {}).asResponse();
}

test('it has all that came', async () => {
  const library = new Library(
    new Response(null, { status: 503 }),
    new Response('{"a": 1}', { headers: HEADERS }),
  );
  const call = library
    .client()
    .call(operation(jsonAnswer('200')), {})
    .asResponse();
  const response = await library.clock.finish(call);
  assert.deepEqual(
    { ...response },
    { status: 200, requestId: 'r-7', attempts: 2, mediaType: 'application/json' },
  );
  assert.equal(response.headers.get('x-left'), '3');
  assert.deepEqual(await response.bytes(), utf8('{"a": 1}'));
  assert.equal(await response.text(), '{"a": 1}');
  assert.deepEqual(await response.json(), { a: 1 });
  assert.equal(await new Response(response.stream()).text(), '{"a": 1}');
  await response.close();
});

test('it is parsed into what the method returns, and only once', async () => {
  const shape = object({ id: string });
  const response = await raw<object>(jsonAnswer('200', shape), Response.json({ id: 'a' }));
  assert.deepEqual(await response.parse(), { id: 'a' });
  assert.equal(await response.parse(), await response.parse());
  const wrong = await raw<object>(jsonAnswer('200', shape), Response.json({}));
  await assert.rejects(wrong.parse(), DecodingError);
  assert.deepEqual(await wrong.json(), {});
});

test('text is in the charset of the answer', async () => {
  const headers = { 'content-type': 'text/plain; charset=utf-16le' };
  const response = await raw<string>(
    textAnswer('200'),
    new Response(new Uint8Array(Buffer.from('dhātu', 'utf16le')), { headers }),
  );
  assert.deepEqual([await response.text(), await response.parse()], ['dhātu', 'dhātu']);
});

test('bytes are there, and can be parsed', async () => {
  const headers = { 'content-type': 'image/png' };
  const spec = bytesAnswer('200', 'image/png');
  const response = await raw<{ text(): Promise<string> }>(spec, new Response('PNG', { headers }));
  assert.equal(await response.text(), 'PNG');
  assert.equal(await (await response.parse()).text(), 'PNG');
});

test('events are left to arrive: parsed, or read, but not both', async () => {
  const asked = () =>
    new Library(events('data: 1\n\n', 'data: 2\n\n')).client().call(EVENTS, {}).asResponse();
  const parsed = await asked();
  assert.deepEqual(await all(await parsed.parse()), [1, 2]);
  await assert.rejects(parsed.bytes(), ArgumentError);
  const read = await asked();
  assert.equal(await read.text(), 'data: 1\n\ndata: 2\n\n');
  assert.equal(await read.text(), 'data: 1\n\ndata: 2\n\n');
  await assert.rejects(read.parse(), ArgumentError);
  assert.throws(() => read.stream(), ArgumentError);
  const streamed = await asked();
  assert.equal(await new Response(streamed.stream()).text(), 'data: 1\n\ndata: 2\n\n');
});

test('what breaks while it is read is an error of this package', async () => {
  const reply = arriving('text/event-stream', ['data: 1', BROKEN]);
  const response = await new Library(reply).client().call(EVENTS, {}).asResponse();
  await assert.rejects(response.bytes(), ConnectionLostError);
});

test('closing frees the connection, and tells whoever waits for an item', async () => {
  for (const parses of [true, false]) {
    const body = new Pieces('data: 1\n\n', () => new Promise(() => {}));
    const reply = async () =>
      new Response(body.stream(), { headers: { 'content-type': 'text/event-stream' } });
    const response = await new Library(reply).client().call(EVENTS, {}).asResponse();
    const stream = parses ? await response.parse() : undefined;
    await stream?.next();
    const waiting = stream?.next();
    const told = waiting && assert.rejects(waiting, /closed while it was being read/);
    await response.close();
    await told;
    assert.ok(body.closed);
  }
});

test('a refusal rejects all the same', async () => {
  const library = new Library(new Response(null, { status: 404 }));
  await assert.rejects(library.client({ apiKey: 'k' }).call(GET, { id: 'a' }).asResponse(), NotFoundError);
});

test('it prints neither body nor headers', async () => {
  const headers = { ...HEADERS, 'set-cookie': 's3cret' };
  const response = await raw(jsonAnswer('200'), new Response('{"key": "s3cret"}', { headers }));
  await response.parse();
  assert.ok(!inspect(response, { depth: 9, showHidden: false }).includes('s3cret'));
});
