/** Bytes of every kind, and how often they can be sent. */

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { bodyOf, CHUNK_BYTES } from '../../src/runtime/encoding/content.js';
import { sent, text } from './asking.js';

const ABC = Buffer.from('abc');
const bytes = () => [Buffer.from('ab'), Buffer.from('c')];

describe('content that is all there', () => {
  for (const [kind, content] of [
    ['bytes', ABC],
    ['a buffer', ABC.buffer.slice(ABC.byteOffset, ABC.byteOffset + 3)],
    ['a view', new DataView(ABC.buffer, ABC.byteOffset, 3)],
    ['text', 'abc'],
    ['a blob', new Blob(['abc'])],
    ['a file', new File(['abc'], 'a.txt')],
  ] as const)
    test(`is sent whole, and again: ${kind}`, async () => {
      const body = bodyOf(content);
      assert.equal(body.sizeBytes, 3);
      assert.notEqual(body.whole, undefined);
      for (const _ of [1, 2]) assert.equal(await text({ body }), 'abc');
      assert.equal(body.repeatable, true);
    });

  test('is read in pieces', async () => {
    for (const content of [
      Buffer.alloc(2 * CHUNK_BYTES + 1, 'x'),
      new Blob(['x'.repeat(2 * CHUNK_BYTES + 1)]),
    ]) {
      const sizes: number[] = [];
      for await (const chunk of bodyOf(content).chunks()) sizes.push(chunk.length);
      assert.deepEqual(sizes, [CHUNK_BYTES, CHUNK_BYTES, 1]);
    }
    assert.equal((await sent({ body: bodyOf('') })).length, 0);
  });
});

describe('content that comes by and by', () => {
  class Again {
    async *[Symbol.asyncIterator]() {
      yield* bytes();
    }
  }
  async function* once() {
    yield* bytes();
  }

  for (const [kind, make] of [
    ['an array', bytes],
    ['an object that iterates anew', () => new Again()],
  ] as const)
    test(`is sent again: ${kind}`, async () => {
      const body = bodyOf(make());
      assert.equal(body.sizeBytes, undefined);
      assert.equal(body.whole, undefined);
      for (const _ of [1, 2]) assert.equal(await text({ body }), 'abc');
      assert.equal(body.repeatable, true);
    });

  for (const [kind, make] of [
    ['an iterator', () => bytes().values()],
    ['a generator', once],
    ['a web stream', () => new Blob(['abc']).stream()],
    ['a stream of Node.js', () => Readable.from(bytes())],
  ] as const)
    test(`is sent once: ${kind}`, async () => {
      const body = bodyOf(make());
      const unread = body.chunks();
      assert.equal(body.repeatable, true, 'nothing was taken yet');
      await unread.return();
      assert.equal(body.repeatable, true, 'nothing was taken yet');
      assert.equal(await text({ body }), 'abc');
      assert.equal(body.repeatable, false);
    });

  test('is closed where sending it breaks off', async () => {
    let cancelled = false;
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(ABC),
      cancel: () => {
        cancelled = true;
      },
    });
    for await (const chunk of bodyOf(stream).chunks()) {
      assert.deepEqual(chunk, ABC);
      break;
    }
    assert.ok(cancelled);
  });

  test('must come in bytes', async () => {
    const refused = { name: 'ArgumentError', message: 'content must come in bytes, not String' };
    await assert.rejects(text({ body: bodyOf(['a']) }), refused);
  });
});

test('anything else is refused', () => {
  for (const content of [3, null, undefined, {}, () => 1])
    assert.throws(() => bodyOf(content), {
      name: 'ArgumentError',
      message: /content must be bytes, a string, /,
    });
  assert.throws(() => bodyOf('\ud800'), { name: 'ArgumentError', message: /lone surrogate/ });
});
