/** Shapes: what they take, what they refuse, and where. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  all,
  anything,
  array,
  boolean,
  integer,
  lazy,
  nothing,
  nullable,
  number,
  object,
  oneOf,
  record,
  type Shape,
  string,
  tagged,
  union,
} from '../../src/runtime/answers/shapes.js';
import { seeded } from '../clock.js';
import { type Draw, drawing } from './arriving.js';

/** A shape, a value of it, and what can be spoiled in that. */
interface Sample {
  readonly shape: Shape;
  readonly value: unknown;
  /** The same value with one thing wrong, and where that is. */
  readonly spoiled: readonly (readonly [place: string, value: unknown])[];
}

const LEAVES: readonly Sample[] = [
  { shape: anything, value: { a: [] }, spoiled: [] },
  { shape: string, value: 'om', spoiled: [['', 1]] },
  { shape: number, value: 0.5, spoiled: [['', '0.5']] },
  {
    shape: integer,
    value: 7,
    spoiled: [
      ['', 7.5],
      ['', '7'],
    ],
  },
  { shape: boolean, value: false, spoiled: [['', 0]] },
  { shape: nothing, value: null, spoiled: [['', 0]] },
  { shape: oneOf('a', 'b'), value: 'b', spoiled: [['', 1]] },
];
const NAMES = ['id', 'a/b', 'a~b', '__proto__', 'constructor', 'ॐ', ''];

/** Names as in a JSON Pointer. */
const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** An object with exactly these own members, whatever they are called. */
function members<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries(entries);
}

function sample(draw: Draw, depth: number): Sample {
  if (!depth) return draw.of(LEAVES);
  const inner = () => sample(draw, depth - 1);
  return draw.of([listOf, recordOf, objectOf, nullableOf, lazyOf, taggedOf])(draw, inner);
}

function listOf(draw: Draw, inner: () => Sample): Sample {
  const { shape, value, spoiled } = inner();
  const list = [value, ...draw.list(3, () => value)];
  const at = draw.below(list.length);
  return {
    shape: array(shape),
    value: list,
    spoiled: [
      ['', {}],
      ...spoiled.map(
        ([place, wrong]) =>
          [`/${at}${place}`, list.map((one, index) => (index === at ? wrong : one))] as const,
      ),
    ],
  };
}

function recordOf(draw: Draw, inner: () => Sample): Sample {
  const { shape, value, spoiled } = inner();
  const name = draw.of(NAMES);
  return {
    shape: record(shape),
    value: members([[name, value]]),
    spoiled: [
      ['', []],
      ...spoiled.map(([place, wrong]) => [`/${escaped(name)}${place}`, members([[name, wrong]])] as const),
    ],
  };
}

function objectOf(draw: Draw, inner: () => Sample): Sample {
  const names = NAMES.filter(() => draw.below(2));
  const found = names.map((name) => ({ name, needed: draw.below(2) > 0, ...inner() }));
  const of = (needed: boolean) =>
    members(found.filter((one) => one.needed === needed).map(({ name, shape }) => [name, shape]));
  const values = found.map(({ name, value }) => [name, value] as const);
  const spoiled = found.flatMap(({ name, needed, spoiled }) => [
    ...(needed ? [[`/${escaped(name)}`, members(values.filter(([other]) => other !== name))] as const] : []),
    ...spoiled.map(
      ([place, wrong]) =>
        [
          `/${escaped(name)}${place}`,
          members(values.map(([other, value]) => [other, other === name ? wrong : value])),
        ] as const,
    ),
  ]);
  const more = draw.of([[], [['undeclared', Symbol('kept')] as const]]);
  return {
    shape: object(of(true), of(false)),
    value: members([...values, ...more]),
    spoiled: [['', null], ...spoiled],
  };
}

function nullableOf(draw: Draw, inner: () => Sample): Sample {
  const { shape, value, spoiled } = inner();
  return {
    shape: nullable(shape),
    value: draw.of([null, value]),
    spoiled: spoiled.filter(([, wrong]) => wrong !== null),
  };
}

function lazyOf(_: Draw, inner: () => Sample): Sample {
  const { shape, value, spoiled } = inner();
  return {
    shape: all(
      anything,
      lazy(() => shape),
    ),
    value,
    spoiled,
  };
}

function taggedOf(draw: Draw, inner: () => Sample): Sample {
  const { shape, value, spoiled } = inner();
  const tag = draw.of(NAMES);
  const variant = object({ item: shape });
  return {
    shape: tagged('kind', members([[tag, variant]])),
    value: { kind: tag, item: value },
    spoiled: [
      ['', 1],
      ['/item', { kind: tag }],
      ...spoiled.map(([place, wrong]) => [`/item${place}`, { kind: tag, item: wrong }] as const),
    ],
  };
}

test('every shape takes its values, and says where others are wrong', () => {
  const draw = drawing(seeded(6));
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const { shape, value, spoiled } = sample(draw, draw.below(4));
    for (const strict of [false, true]) {
      assert.equal(shape(value, strict), undefined);
      for (const [place, wrong] of spoiled) {
        const said = shape(wrong, strict);
        assert.ok(said?.startsWith(`${place} `), `${said} at ${place}`);
        refused++;
      }
    }
  }
  assert.ok(refused > 10_000);
});

test('what is refused is never quoted', () => {
  const draw = drawing(seeded(7));
  for (let round = 0; round < 500; round++) {
    const { shape } = sample(draw, draw.below(4));
    for (const value of ['s3cret', ['s3cret'], { id: 's3cret' }, 7])
      assert.ok(!shape(value, true)?.includes('s3cret'));
  }
});

test('values and variants that are not described are kept, unless strict', () => {
  const variants = tagged('kind', { a: object({ id: string }) });
  const lenient: [Shape, unknown, string][] = [
    [oneOf('a', 'b'), 'c', ' is none of the values that are described'],
    [union(string, integer), {}, ' is none of its variants'],
    [variants, { kind: 'b' }, '/kind names no variant'],
    [variants, { kind: 'constructor' }, '/kind names no variant'],
  ];
  for (const [shape, value, said] of lenient)
    assert.deepEqual([shape(value, false), shape(value, true)], [undefined, said]);
  assert.equal(union(string, integer)(7, true), undefined);
});

test('positions of a list may have shapes of their own', () => {
  const pair = array(nothing, string, integer);
  assert.equal(pair(['a', 1], true), undefined);
  assert.equal(pair(['a', 'b'], true), '/1 is no whole number');
  assert.equal(pair(['a', 1, 2], true), '/2 is not null');
});

test('a shape may hold itself', () => {
  const tree: Shape = object({ children: array(lazy(() => tree)) });
  assert.equal(tree({ children: [{ children: [] }] }, true), undefined);
  assert.equal(tree({ children: [{ children: [{}] }] }, true), '/children/0/children/0/children is missing');
});
