import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Arguments, Operation } from '../src/runtime/call.js';
import { placed } from '../src/runtime/encoding/placed.js';
import { PaginationError } from '../src/runtime/errors.js';
import { nextLink, type Page, type PagePromise, type PageSpec, page } from '../src/runtime/pages.js';
import { type Scripted, ScriptedCaller } from './scripted.js';

interface List {
  readonly items: string[];
  readonly meta?: { readonly next?: unknown };
  readonly total?: number;
}

type Listing = Operation<Page<List, string>, PagePromise<List, string>>;

const QUERY = placed(['cursor', 'page', 'offset', 'q']);

const listing = (spec: Partial<PageSpec> = {}): Listing => ({
  key: 'things.list',
  method: 'GET',
  path: '/things',
  parameters: QUERY,
  goesOn: page({ items: 'items', argument: 'cursor', cursor: 'meta.next', ...spec }),
});

const cursored = (items: string[], next?: unknown): Scripted => ({ value: { items, meta: { next } } });

function begun(script: readonly Scripted[], spec: Partial<PageSpec> = {}, args: Arguments = {}) {
  const caller = new ScriptedCaller(script);
  return { caller, promise: caller.call(listing(spec), args) };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test('a list is gone through without awaiting it, across its pages', async () => {
  const { caller, promise } = begun(
    [cursored(['a', 'b'], 'c1'), cursored([], 'c2'), cursored(['c'], null)],
    {},
    { q: 'x' },
  );
  assert.deepEqual(await all(promise), ['a', 'b', 'c']);
  assert.deepEqual(
    caller.calls.map(({ args }) => args),
    [{ q: 'x' }, { q: 'x', cursor: 'c1' }, { q: 'x', cursor: 'c2' }],
  );
});

test('pages are gone through as such', async () => {
  const { promise } = begun([cursored(['a'], 'c1'), cursored(['b'])]);
  assert.deepEqual(
    (await all(promise.pages())).map(({ items }) => items),
    [['a'], ['b']],
  );
});

test('a page is what was answered, and nobody sees what it can do besides', async () => {
  const { promise } = begun([cursored(['a'], 'c1')]);
  const first = await promise;
  assert.deepEqual(first, { items: ['a'], meta: { next: 'c1' } });
  assert.equal(JSON.stringify(first), '{"items":["a"],"meta":{"next":"c1"}}');
  assert.deepEqual(Object.keys(first), ['items', 'meta']);
  assert.equal(first.hasNextPage(), true);
});

test('a member of the answer comes first', async () => {
  type Odd = { items: string[]; pages: number };
  const caller = new ScriptedCaller([{ value: { items: ['a'], pages: 3 } }]);
  const operation: Operation<Page<Odd, string>, PagePromise<Odd, string>> = {
    ...listing(),
    answers: undefined as never,
  };
  const first = await caller.call(operation, {});
  const pages: number = first.pages;
  assert.equal(pages, 3);
  assert.equal(first.hasNextPage(), false);
});

test('a page that is an array itself stays one', async () => {
  const script = [{ value: ['a', 'b'], headers: { link: '</things?cursor=2>; rel=next' } }, { value: ['c'] }];
  const caller = new ScriptedCaller(script);
  const operation: Operation<Page<string[], string>, PagePromise<string[], string>> = {
    ...listing({ items: '', style: 'link', cursor: '' }),
    answers: undefined as never,
  };
  const first = await caller.call(operation, {});
  assert.ok(Array.isArray(first));
  assert.deepEqual(first, ['a', 'b']);
  assert.deepEqual(await all(first), ['a', 'b', 'c']);
});

test('the next page is undefined after the last, and fetched when it is wanted', async () => {
  const { caller, promise } = begun([cursored(['a'], 'c1'), cursored(['b'], '')]);
  const first = await promise;
  assert.equal(caller.calls.length, 1);
  const second = await first.nextPage();
  assert.deepEqual(second?.items, ['b']);
  assert.equal(await second?.nextPage(), undefined);
});

test('the options of the first call go along', async () => {
  const caller = new ScriptedCaller([cursored(['a'], 'c1'), cursored(['b'])]);
  const options = { timeoutMs: 5, extraHeaders: { 'x-tenant': 't' } };
  await all(caller.call(listing(), {}, options));
  assert.deepEqual(caller.calls[1]?.options, options);
});

test('what was answered beside it comes with the first page', async () => {
  const { data, response } = await begun([cursored(['a'])]).promise.withResponse();
  assert.deepEqual([data.items, response.status], [['a'], 200]);
});

test('a circle of any length is noticed', async () => {
  for (const length of [1, 2, 3, 7]) {
    const script = Array.from({ length: 3 * length + 3 }, (_, n) => cursored([`${n}`], `c${n % length}`));
    const { caller, promise } = begun(script);
    await assert.rejects(all(promise), PaginationError);
    assert.ok(caller.calls.length <= 3 * length + 1, `${caller.calls.length} pages of ${length}`);
  }
});

test('numbered pages end with the total, or with an empty one', async () => {
  const numbered = { style: 'page', argument: 'page', total: 'total' } as const;
  const one = begun(
    [{ value: { items: ['a', 'b'], total: 3 } }, { value: { items: ['c'], total: 3 } }],
    numbered,
  );
  assert.deepEqual(await all(one.promise), ['a', 'b', 'c']);
  assert.deepEqual(one.caller.calls[1]?.args, { page: 2 });
  const other = begun([{ value: { items: ['x'] } }, { value: { items: [] } }], numbered, { page: 4 });
  assert.deepEqual(await all(other.promise), ['x']);
  assert.deepEqual(other.caller.calls[1]?.args, { page: 5 });
});

test('as many items are skipped as were read', async () => {
  const { caller, promise } = begun(
    [{ value: { items: ['a', 'b'] } }, { value: { items: ['c'] } }, { value: { items: [] } }],
    { style: 'offset', argument: 'offset', first: 0 },
  );
  assert.deepEqual(await all(promise), ['a', 'b', 'c']);
  assert.deepEqual(
    caller.calls.map(({ args }) => args.offset),
    [undefined, 2, 3],
  );
});

test('a server that ignores the number is noticed by its items', async () => {
  const same = { value: { items: ['a'] } };
  const { caller, promise } = begun([same, same, same], { style: 'page', argument: 'page' });
  await assert.rejects(all(promise), /same items whatever page says/);
  assert.equal(caller.calls.length, 2);
});

test('of a link its query counts, parameter by parameter', async () => {
  const link = '<https://evil.test/steal?q=om&after=a&after=b#x>; rel="next"';
  const { caller, promise } = begun(
    [{ value: { items: ['a'] }, headers: { link } }, { value: { items: ['b'] } }],
    { style: 'link', cursor: '' },
    { q: 'x', cursor: 'y' },
  );
  assert.deepEqual(await all(promise), ['a', 'b']);
  assert.deepEqual(caller.calls[1]?.args, { q: 'om', cursor: undefined, page: undefined, offset: undefined });
  assert.deepEqual(caller.calls[1]?.options, { extraQuery: { after: 'b' } });
});

test('a link may be a member of the answer', async () => {
  const { caller, promise } = begun([cursored(['a'], '/things?cursor=1&cursor=2'), cursored(['b'], null)], {
    style: 'link',
  });
  await all(promise);
  assert.deepEqual(caller.calls[1]?.args.cursor, ['1', '2']);
});

test('links and their relations', () => {
  assert.equal(nextLink('</a?p=1>; rel="prev", </a?p=3>; rel="next last"'), '/a?p=3');
  assert.equal(nextLink('</a?p=1,2>; title="a, b; rel=x"; REL=NEXT'), '/a?p=1,2');
  assert.equal(nextLink('</a>; rel=nextish'), '');
  assert.equal(nextLink(''), '');
});

test('another answer than a list is left as it is', async () => {
  const { promise } = begun([{ value: 'om' }]);
  assert.equal(await promise, 'om');
});

test('an error ends the way through after the items before it', async () => {
  const { promise } = begun([cursored(['a'], 'c1'), { error: new RangeError('gone') }]);
  const items: string[] = [];
  await assert.rejects(async () => {
    for await (const item of promise) items.push(item);
  }, RangeError);
  assert.deepEqual(items, ['a']);
});
