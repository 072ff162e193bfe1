/** Server-sent events, cut into chunks at every place there is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OversizedError, type Payload } from '../../src/runtime/answers/lines.js';
import { EventDecoder, EventPayloads } from '../../src/runtime/answers/sse.js';
import { seeded } from '../clock.js';
import { cut, type Draw, drawing, utf8 } from './arriving.js';

function decode(chunks: readonly Uint8Array[]): Payload[] {
  const decoder = new EventDecoder();
  return chunks.flatMap((chunk) => decoder.feed(chunk));
}

/** The standard's algorithm (WHATWG HTML, 9.2.6) word by word, over the whole stream at once. */
function byTheBook(stream: Uint8Array): Payload[] {
  const lines = new TextDecoder().decode(stream).split(/\r\n|\n|\r/);
  lines.pop(); // what follows the last line end is not a line
  const events: Payload[] = [];
  let [data, type, id] = ['', '', ''];
  let retryMs: number | undefined;
  for (const line of lines) {
    if (line === '') {
      if (data !== '') events.push({ data: data.slice(0, -1), event: type || 'message', id, retryMs });
      data = type = '';
      continue;
    }
    if (line.startsWith(':')) continue;
    const [, field = '', value = ''] = /^([^:]*)(?::(?: )?(.*))?$/su.exec(line) ?? [];
    if (field === 'event') type = value;
    else if (field === 'data') data += `${value}\n`;
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'retry' && /^[0-9]+$/.test(value)) retryMs = Number(value);
  }
  return events;
}

const LINES = [
  ...['', '', '', 'data', 'data:', 'data: ', 'data:  x', ': hello', ':', 'event: a', 'event', 'id: 1', 'id'],
  ...['id: a\0b', 'retry: 10', 'retry: -1', 'retry: 1e3', 'retry: ٣', 'dat: x', ' data: x', 'data: धातु 😀'],
];

function stream({ of, list }: Draw): Uint8Array {
  const lines = list(12, () => of(LINES) + of(['\n', '\r', '\r\n']));
  return utf8(of(['', '\ufeff', '\ufeff\ufeff']) + lines.join('') + of(['', 'data: cut off', 'data']));
}

test('events do not depend on the chunks', () => {
  const draw = drawing(seeded(1));
  for (let round = 0; round < 2000; round++) {
    const bytes = stream(draw);
    const expected = byTheBook(bytes);
    const places = draw.list(8, () => draw.below(10_000));
    assert.deepEqual(decode(cut(bytes, places)), expected);
    assert.deepEqual(decode(cut(bytes, [...bytes.keys()])), expected);
  }
});

test('every pair of cuts is the same', () => {
  const book = utf8(
    '\ufeffid: १\r\nevent: नाम\ndata: धातु\rdata:  😀\r\n\r\n: comment\n\ndata\n\nid\nretry: 10\r\n' +
      'data: b\r\rid: x\0y\ndata:\n\n\n\rdata: lost',
  );
  const expected = byTheBook(book);
  assert.equal(expected.length, 4);
  for (let first = 0; first <= book.length; first++)
    for (let second = first; second <= book.length; second++)
      assert.deepEqual(decode(cut(book, [first, second])), expected);
});

test('any bytes at all are the same', () => {
  const draw = drawing(seeded(2));
  const meaningful = ['\r', '\n', 'data', ':', ' ', 'id', 'x', '\ufeff'].map(utf8);
  for (let round = 0; round < 2000; round++) {
    const pieces = draw.list(30, () => draw.of([...meaningful, new Uint8Array([draw.below(256)])]));
    const bytes = new Uint8Array(pieces.flatMap((piece) => [...piece]));
    assert.deepEqual(decode(pieces), byTheBook(bytes));
  }
});

test('an event is there as soon as its last line ends', () => {
  for (const end of ['\n', '\r', '\r\n']) {
    const decoder = new EventDecoder();
    assert.deepEqual(decoder.feed(utf8(`data: now${end}`)), []);
    assert.equal(decoder.feed(utf8(end.slice(0, 1)))[0]?.data, 'now');
  }
});

test('what the end cuts off is no event', () => {
  assert.deepEqual(decode([utf8('data: whole\n\ndata: half\n')]), [
    { data: 'whole', event: 'message', id: '', retryMs: undefined },
  ]);
});

test('a name holds for one event, and an id until the next', () => {
  const found = decode([utf8('event: tick\nid: 7\ndata: a\n\ndata: b\ndata: c\n\n')]);
  assert.deepEqual(
    found.map(({ event, id, data }) => [event, id, data]),
    [
      ['tick', '7', 'a'],
      ['message', '7', 'b\nc'],
    ],
  );
});

test('a retry of thousands of digits is ignored', () => {
  assert.equal(decode([utf8(`retry: ${'9'.repeat(5000)}\ndata: x\n\n`)])[0]?.retryMs, undefined);
});

test('no line and no event fills the memory', () => {
  const tooLong: Record<string, string[]> = {
    'a line': [`data: ${'x'.repeat(200)}`],
    'a line in pieces': Array(101).fill('x'),
    'an event': Array(3).fill(`data: ${'x'.repeat(40)}\n`),
    'an event of empty lines': Array(13).fill('data\n'),
  };
  for (const [name, pieces] of Object.entries(tooLong)) {
    const decoder = new EventDecoder('', 100);
    for (const piece of pieces.slice(0, -1)) decoder.feed(utf8(piece));
    assert.throws(() => decoder.feed(utf8(pieces.at(-1) ?? '')), OversizedError, name);
  }
});

test('many events are no large one', () => {
  const decoder = new EventDecoder('', 100);
  assert.equal(decoder.feed(utf8(`data: ${'x'.repeat(80)}\n\n`.repeat(10))).length, 10);
});

test('a long line in tiny chunks costs what it is long', () => {
  const decoder = new EventDecoder();
  const [colon, x, end] = [utf8('data:'), utf8('x'), utf8('\n\n')];
  decoder.feed(colon);
  for (let round = 0; round < 300_000; round++) decoder.feed(x);
  assert.equal(decoder.feed(end)[0]?.data.length, 300_000);
});

test('events without data hold no item', () => {
  const payloads = new EventPayloads();
  const found = payloads.feed(
    utf8('data:\n\nevent: ping\n\ndata: [DONE]\n\ndata: 1\n\nevent: error\ndata\n\n'),
  );
  assert.deepEqual(
    found.map(({ event, data }) => [event, data]),
    [
      ['message', '1'],
      ['error', ''],
    ],
  );
  assert.deepEqual(payloads.finish(), []);
});

test('another connection begins anew, but for the last id and the time to wait', () => {
  const payloads = new EventPayloads();
  payloads.feed(utf8('retry: 5\nid: 1\ndata: 1\n\nid: 2\ndata: lost'));
  payloads.restart();
  assert.deepEqual(payloads.feed(utf8('\ufeffdata: 3\n\n')), [
    { data: '3', event: 'message', id: '1', retryMs: undefined },
  ]);
  assert.deepEqual([payloads.lastEventId, payloads.retryMs], ['1', 5]);
});
