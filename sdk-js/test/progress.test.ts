/** How far an upload is: told in pieces, from 0 again by each attempt. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Progress } from '../src/runtime/call.js';
import { type Body, bodyOf, CHUNK_BYTES } from '../src/runtime/encoding/content.js';
import { meteredBody } from '../src/runtime/progress.js';
import { sent } from './encoding/asking.js';

const DATA = 'x'.repeat(2 * CHUNK_BYTES + 1);
const STEPS = [0, CHUNK_BYTES, 2 * CHUNK_BYTES, DATA.length];

function metered(content: unknown): [Body, Progress[]] {
  const told: Progress[] = [];
  return [meteredBody(bodyOf(content), (progress) => told.push(progress)), told];
}

for (const content of [DATA, Buffer.from(DATA), new Blob([DATA])])
  test(`is told in pieces of ${content.constructor.name}, by each attempt`, async () => {
    const [body, told] = metered(content);
    assert.equal(body.whole, undefined);
    assert.equal(body.sizeBytes, DATA.length);
    for (const _ of [1, 2]) assert.equal((await sent({ body })).length, DATA.length);
    assert.deepEqual(
      told,
      [...STEPS, ...STEPS].map((doneBytes) => ({ doneBytes, totalBytes: DATA.length })),
    );
  });

test('is told where nobody knows the size', async () => {
  const [body, told] = metered([Buffer.from('ab'), Buffer.from('c')].values());
  assert.equal(body.repeatable, true);
  await sent({ body });
  assert.equal(body.repeatable, false);
  assert.deepEqual(
    told,
    [0, 2, 3].map((doneBytes) => ({ doneBytes, totalBytes: undefined })),
  );
});

test('counts a piece when the next one is asked for', async () => {
  const [body, told] = metered('abc');
  const chunks = body.chunks();
  assert.equal(told.length, 0);
  await chunks.next();
  assert.deepEqual(
    told.map(({ doneBytes }) => doneBytes),
    [0],
  );
  await chunks.next();
  assert.deepEqual(
    told.map(({ doneBytes }) => doneBytes),
    [0, 3],
  );
});

test('what the listener throws is thrown', async () => {
  const body = meteredBody(bodyOf('abc'), () => {
    throw new TypeError('the listener’s own');
  });
  await assert.rejects(sent({ body }), { name: 'TypeError', message: /own/ });
});
