/** JSON Lines, cut into chunks at every place there is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinePayloads, OversizedError } from '../../src/runtime/answers/lines.js';
import { seeded } from '../clock.js';
import { cut, drawing, utf8 } from './arriving.js';

function parsed(chunks: readonly Uint8Array[]): unknown[] {
  const payloads = new LinePayloads();
  const found = [...chunks.flatMap((chunk) => payloads.feed(chunk)), ...payloads.finish()];
  return found.map(({ data }) => JSON.parse(data));
}

test('lines do not depend on the chunks', () => {
  const draw = drawing(seeded(3));
  for (let round = 0; round < 2000; round++) {
    const items = draw.list(6, () => ({
      [draw.of(['a', 'धातु', '😀'])]: draw.of([1, 'b\r\n', '\u2028', null]),
    }));
    const end = draw.of(['\n', '\r\n', '\n\n', '\n \r\n']);
    const text = items.map((item) => JSON.stringify(item)).join(end) + draw.of(['', end]);
    const bytes = utf8(draw.of(['', '\ufeff']) + text);
    assert.deepEqual(
      parsed(
        cut(
          bytes,
          draw.list(8, () => draw.below(10_000)),
        ),
      ),
      items,
    );
    assert.deepEqual(parsed(cut(bytes, [...bytes.keys()])), items);
  }
});

test('a carriage return within a line is white space', () => {
  assert.deepEqual(parsed([utf8('\ufeff{"a":\r1}\r'), utf8('\n')]), [{ a: 1 }]);
});

test('a line is there as soon as it ends', () => {
  const payloads = new LinePayloads();
  assert.deepEqual(payloads.feed(utf8('1')), []);
  assert.equal(payloads.feed(utf8('\n'))[0]?.data, '1');
});

test('half a character at the end is no good line', () => {
  assert.throws(() => parsed([utf8('1'), utf8('ā').subarray(0, 1)]), SyntaxError);
});

test('no line fills the memory', () => {
  assert.throws(() => new LinePayloads(10).feed(utf8('[1, 2, 3, 4]')), OversizedError);
});
