import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arranged } from '../src/runtime/arranged.js';

const BYTES = new Uint8Array([1]);

test('arguments by position come first, then an object with the others, then options', () => {
  const options = { timeoutMs: 1 };
  assert.deepEqual(arranged(['a', { b: 2 }, options], ['x']), [{ x: 'a', b: 2 }, options, false]);
  assert.deepEqual(arranged([{ x: 'a', b: 2 }, options], ['x']), [{ x: 'a', b: 2 }, options, false]);
  assert.deepEqual(arranged(['a', undefined, options], ['x']), [{ x: 'a' }, options, false]);
});

test('where nothing else can come by name, the options follow at once', () => {
  const options = { timeoutMs: 1 };
  assert.deepEqual(arranged([['a'], options], ['x'], [1]), [{ x: ['a'] }, options, false]);
  assert.deepEqual(arranged([{ x: 'a' }, options], ['x'], [1]), [{ x: 'a' }, options, false]);
  assert.deepEqual(arranged(['a'], ['x'], [1]), [{ x: 'a' }, undefined, false]);
});

test('a place that takes text or content is told by what stands there', async () => {
  async function* chunks() {
    yield BYTES;
  }
  const anew = { [Symbol.iterator]: () => [BYTES][Symbol.iterator]() };
  const later = { [Symbol.asyncIterator]: chunks };
  for (const content of [BYTES, [BYTES], new Blob([BYTES]), chunks(), anew, later])
    assert.equal(arranged([content], ['text|content'])[0].content, content);
  assert.deepEqual(arranged(['so'], ['text|content'])[0], { text: 'so' });
});

test('a flag that asks for events is sent only where it is a parameter', () => {
  assert.deepEqual(arranged([{ stream: true }], [], [], 'stream', false), [
    { stream: true },
    undefined,
    true,
  ]);
  assert.deepEqual(arranged([{ stream: true }], [], [], 'stream', true), [{}, undefined, true]);
});
