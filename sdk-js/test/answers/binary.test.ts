/** Bytes that arrive, taken whole or piece by piece. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BinaryResponse } from '../../src/runtime/answers/binary.js';
import { ArgumentError, ConnectionLostError } from '../../src/runtime/errors.js';
import { Library } from '../library.js';
import { all, arriving, BROKEN, BYTES, type Piece, Pieces, utf8 } from './arriving.js';

function called(...pieces: Piece[]): Promise<BinaryResponse> {
  return new Library(arriving('application/zip', pieces)).client().call(BYTES, {});
}

/** A body of one piece and then nothing. */
async function silent() {
  const body = new Pieces('ab', () => new Promise(() => {}));
  const reply = async () => new Response(body.stream(), { headers: { 'content-type': 'application/zip' } });
  return { body, download: await new Library(reply).client().call(BYTES, {}) };
}

test('bytes come whole, as text, as a Blob and as a stream', async () => {
  const bytes = await (await called('dhā', 'tu')).bytes();
  assert.deepEqual(bytes, utf8('dhātu'));
  assert.equal(
    await (await called('dh', utf8('ā').subarray(0, 1), utf8('ā').subarray(1), 'tu')).text(),
    'dhātu',
  );
  const blob = await (await called('dhā', 'tu')).blob();
  assert.deepEqual([blob.type, await blob.text()], ['application/zip', 'dhātu']);
  assert.equal(await new Response((await called('dhā', 'tu')).stream()).text(), 'dhātu');
});

test('text is in the charset of the answer', async () => {
  const latin = arriving('application/zip; charset=iso-8859-1', [new Uint8Array([0xe4])]);
  assert.equal(await (await new Library(latin).client().call(BYTES, {})).text(), 'ä');
});

test('pieces come as they arrive, and the rest can be had whole', async () => {
  const download = await called('a', 'b', 'c');
  assert.deepEqual((await download.next()).value, utf8('a'));
  assert.deepEqual(await download.bytes(), utf8('bc'));
  assert.deepEqual(await all(download), []);
});

test('what was read already does not look like an empty body', async () => {
  const download = await called('a', 'b');
  await download.bytes();
  for (const read of ['bytes', 'text', 'blob'] as const)
    await assert.rejects(async () => download[read](), ArgumentError);
  assert.throws(() => download.stream(), ArgumentError);
  await assert.rejects(download.save('nowhere'), ArgumentError);
});

test('a body that breaks is an error', async () => {
  for (const read of ['bytes', 'text', 'blob'] as const)
    await assert.rejects(async () => (await called('half', BROKEN))[read](), ConnectionLostError);
  const { readable, writable } = new TransformStream();
  await assert.rejects(
    Promise.all([(await called('half', BROKEN)).stream().pipeTo(writable), new Response(readable).text()]),
    ConnectionLostError,
  );
});

test('a body that breaks is not gone on with where it is not saved', async () => {
  const headers = { etag: '"v1"', 'accept-ranges': 'bytes' };
  const library = new Library(arriving('application/zip', ['half', BROKEN], { headers }));
  await assert.rejects((await library.client().call(BYTES, {})).bytes(), ConnectionLostError);
  assert.equal(library.arrivals.length, 1);
});

test('leaving the loop, cancelling the stream and closing free the connection', async () => {
  const broken = await silent();
  for await (const piece of broken.download) {
    assert.deepEqual(piece, utf8('ab'));
    break;
  }
  const cancelled = await silent();
  const reader = cancelled.download.stream().getReader();
  await reader.read();
  await reader.cancel();
  const closed = await silent();
  await closed.download.close();
  assert.deepEqual([broken.body.closed, cancelled.body.closed, closed.body.closed], [true, true, true]);
});

test('the head of the answer is there', async () => {
  const { status, attempts, requestId, mediaType } = await called('a');
  assert.deepEqual([status, attempts, requestId, mediaType], [200, 1, '', 'application/zip']);
});
