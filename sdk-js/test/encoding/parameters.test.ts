/** Every style of parameter, against the tables of OpenAPI 3.1. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ParameterSpec, StyledParameter } from '../../src/runtime/call.js';
import { checkedHeader, encode, writePlain } from '../../src/runtime/encoding/parameters.js';
import { styled } from '../../src/runtime/encoding/styles.js';
import { ArgumentError } from '../../src/runtime/errors.js';

const LIST = ['blue', 'black', 'brown'];
const MAP = { R: 100, G: 200, B: 150 };

type Place = ParameterSpec['in'];
type Row = readonly [style: string, explode: boolean, value: unknown, expected: string];

function written(place: Place, value: unknown, changes: Partial<StyledParameter> = {}): string {
  const pieces = styled({ argument: 'color', in: place, ...changes, write: styled }, value);
  return pieces.join(place === 'query' || place === 'cookie' ? '&' : ',');
}

function plain(place: Place, value: unknown): string {
  return writePlain({ argument: 'color', in: place }, value).join(
    place === 'query' || place === 'cookie' ? '&' : ',',
  );
}

const PATHS: readonly Row[] = [
  ['matrix', false, 'blue', ';color=blue'],
  ['matrix', false, LIST, ';color=blue,black,brown'],
  ['matrix', false, MAP, ';color=R,100,G,200,B,150'],
  ['matrix', true, LIST, ';color=blue;color=black;color=brown'],
  ['matrix', true, MAP, ';R=100;G=200;B=150'],
  ['label', false, 'blue', '.blue'],
  ['label', false, LIST, '.blue,black,brown'],
  ['label', false, MAP, '.R,100,G,200,B,150'],
  ['label', true, LIST, '.blue.black.brown'],
  ['label', true, ['a.b', 'c'], '.a%2Eb.c'],
  ['label', true, MAP, '.R=100.G=200.B=150'],
  ['simple', false, 'blue', 'blue'],
  ['simple', false, LIST, 'blue,black,brown'],
  ['simple', false, MAP, 'R,100,G,200,B,150'],
  ['simple', true, MAP, 'R=100,G=200,B=150'],
];

for (const [style, explode, value, expected] of PATHS)
  test(`in the path, ${style}${explode ? ', exploded' : ''}: ${expected}`, () => {
    assert.equal(written('path', value, { style, explode }), expected);
    if (style === 'simple' && !explode) assert.equal(plain('path', value), expected);
  });

const QUERIES: readonly Row[] = [
  ['form', false, '', 'color='],
  ['form', false, 'blue', 'color=blue'],
  ['form', false, LIST, 'color=blue,black,brown'],
  ['form', false, MAP, 'color=R,100,G,200,B,150'],
  ['form', true, LIST, 'color=blue&color=black&color=brown'],
  ['form', true, MAP, 'R=100&G=200&B=150'],
  ['spaceDelimited', false, LIST, 'color=blue%20black%20brown'],
  ['spaceDelimited', false, MAP, 'color=R%20100%20G%20200%20B%20150'],
  ['pipeDelimited', false, LIST, 'color=blue%7Cblack%7Cbrown'],
  ['pipeDelimited', false, MAP, 'color=R%7C100%7CG%7C200%7CB%7C150'],
  ['deepObject', true, MAP, 'color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150'],
  ['deepObject', true, { a: { b: [1, 2], c: undefined } }, 'color%5Ba%5D%5Bb%5D=1&color%5Ba%5D%5Bb%5D=2'],
  ['form', true, [], ''],
  ['form', false, [], ''],
  ['form', false, {}, ''],
  ['form', true, true, 'color=true'],
  ['form', true, null, 'color=null'],
  ['form', true, 1.5, 'color=1.5'],
  ['form', true, 2n ** 70n, 'color=1180591620717411303424'],
  ['form', true, "a b&c=d/ś+%'()*!", 'color=a%20b%26c%3Dd%2F%C5%9B%2B%25%27%28%29%2A%21'],
  ['form', true, new Date('2026-08-21T09:30:00Z'), 'color=2026-08-21T09%3A30%3A00Z'],
  ['form', true, new Date('2026-08-21T09:30:00.12Z'), 'color=2026-08-21T09%3A30%3A00.120000Z'],
  ['form', true, new Set([1, 2]), 'color=1&color=2'],
  ['form', true, new URL('https://a.test/b'), 'color=https%3A%2F%2Fa.test%2Fb'],
];

for (const [style, explode, value, expected] of QUERIES)
  test(`in the query, ${style}${explode ? ', exploded' : ''}: ${expected}`, () => {
    assert.equal(written('query', value, { style, explode }), expected);
    if (style === 'form' && explode)
      for (const place of ['query', 'cookie'] as const) assert.equal(plain(place, value), expected);
  });

test('reserved characters stay where they may', () => {
  assert.equal(
    written('query', 'a/b?c:d@e,f;g#h&i+j[k]%', { allowReserved: true }),
    'color=a/b?c:d@e,f;g%23h%26i%2Bj%5Bk%5D%25',
  );
  assert.equal(written('path', 'a/b?c:d@e', { style: 'simple', allowReserved: true }), 'a%2Fb%3Fc:d@e');
  assert.equal(written('query', ['a,b', 'c/d'], { explode: false, allowReserved: true }), 'color=a%2Cb,c/d');
});

test('content travels as JSON, text in another media type as it is', () => {
  assert.equal(
    written('query', { a: [1, 'ś'] }, { contentType: 'application/json' }),
    'color=%7B%22a%22%3A%5B1%2C%22%C5%9B%22%5D%7D',
  );
  assert.equal(written('query', 'plain', { contentType: 'text/plain' }), 'color=plain');
  assert.equal(written('query', '<a/>', { contentType: 'application/xml' }), 'color=%3Ca%2F%3E');
  assert.equal(written('header', ['a,b'], { contentType: 'application/json' }), '["a,b"]');
  for (const style of ['simple', 'label', 'matrix'])
    assert.equal(written('path', 'a,b', { style, contentType: 'application/json' }), '%22a%2Cb%22');
});

const COOKIES: readonly (readonly [boolean, unknown, string])[] = [
  [false, 'a', 'color=a'],
  [false, [1, 2], 'color=1,2'],
  [true, [1, 2], 'color=1&color=2'],
  [true, { R: 1, G: 2 }, 'R=1&G=2'],
  [false, { R: 1, G: 2 }, 'color=R,1,G,2'],
  [true, [], ''],
  [false, {}, ''],
];

for (const [explode, value, expected] of COOKIES)
  test(`as a cookie of its own style${explode ? ', exploded' : ''}: ${expected}`, () => {
    assert.equal(written('cookie', value, { style: 'cookie', explode }), expected);
  });

test('headers are not percent-encoded', () => {
  for (const [explode, value, expected] of [
    [false, LIST, 'blue,black,brown'],
    [false, MAP, 'R,100,G,200,B,150'],
    [true, MAP, 'R=100,G=200,B=150'],
    [false, '50% ś, a', '50% ś, a'],
  ] as const) {
    assert.equal(written('header', value, { style: 'simple', explode }), expected);
    if (!explode) assert.equal(plain('header', value), expected);
  }
});

for (const [place, style, value] of [
  ['query', 'spaceDelimited', ['a b']],
  ['query', 'pipeDelimited', { 'a|b': 1 }],
  ['query', 'deepObject', { 'a][b': 1 }],
  ['query', 'deepObject', { a: { '': 1 } }],
  ['header', 'simple', ['a,b']],
  ['header', 'simple', { 'a,b': 1 }],
] as const)
  test(`an item that would come apart is refused: ${style} ${JSON.stringify(value)}`, () => {
    const refused = { name: 'ArgumentError', message: /color may (be empty or )?hold/ };
    assert.throws(() => written(place, value, { style, explode: false }), refused);
    if (place === 'header') assert.throws(() => plain(place, value), refused);
  });

test('what cannot be written is refused, and named', () => {
  for (const value of [
    [[1]],
    { a: { b: 1 } },
    Number.NaN,
    [undefined],
    () => 1,
    Symbol('s'),
    Promise.resolve(1),
    new Date(Number.NaN),
    new Uint8Array(1),
    new Map(),
  ]) {
    assert.throws(() => plain('query', value), { name: 'ArgumentError', message: /^color is/ });
    assert.throws(() => written('query', value), { name: 'ArgumentError', message: /^color is/ });
  }
  for (const value of ['\ud800', ['\udfff'], { '\ud800': 1 }])
    assert.throws(() => plain('query', value), ArgumentError);
});

test('a header cannot be split, and its value is not shown', () => {
  for (const text of ['a\r\nX-Evil: 1', 'a\nb', '\0', 'a\x7f', ' a', 'a '])
    assert.throws(
      () => checkedHeader('color', text),
      (error: Error) => /the value of header color/.test(error.message) && !/Evil/.test(error.message),
    );
  assert.equal(checkedHeader('color', 'a\tb é'), 'a\tb é');
});

test('any text comes back from its encoding', () => {
  for (let code = 0; code < 0xd800; code += 7) {
    const text = String.fromCharCode(code, code + 1);
    assert.match(encode(text), /^[A-Za-z0-9%._~-]*$/);
    assert.equal(decodeURIComponent(encode(text)), text);
  }
});
