/** Lists that come page by page: which call brings the next page, and whether there is one. */

import type { Arguments, CallOptions } from './call.js';
import { PaginationError } from './errors/local.js';
import { member, withMethods } from './members.js';
import type { GoesOn, Origin } from './origin.js';
import { APIPromise } from './promise.js';

/**
 * How the next page of an answer is asked for.
 *
 * Members are named by their way from the answer's root: `documents`, `meta.next_cursor`.
 */
export interface PageSpec {
  /** Holds the items of a page; empty where the answer is the list of them itself. */
  readonly items: string;
  /** @default 'cursor' */
  readonly style?: 'cursor' | 'page' | 'offset' | 'link';
  /** Takes the cursor, the number of the page or the offset; none for link. */
  readonly argument?: string;
  /** Holds the next cursor or link; none for page and offset, and for a link in the header `Link`. */
  readonly cursor?: string;
  /** Holds the number of items on all pages. */
  readonly total?: string;
  /**
   * What `argument` is where it is not given, for page and offset.
   *
   * @default 1
   */
  readonly first?: number;
}

/** What a page can do beside being what was answered. */
export interface PageMethods<T, I> {
  /** Whether there is a page after this one; throws `PaginationError` where it was read already. */
  hasNextPage(): boolean;
  /** The page after this one; undefined after the last. Rejects with `PaginationError` where it is no new one. */
  nextPage(): Promise<Page<T, I> | undefined>;
  /** This page and all after it. */
  pages(): AsyncGenerator<Page<T, I>, void, undefined>;
  /** The items of this page and of all after it. */
  [Symbol.asyncIterator](): AsyncGenerator<I, void, undefined>;
}

/**
 * One page of a list: what was answered, and what goes on from there; members of the answer come first.
 *
 * What was added is not enumerable, so that comparing, spreading and `JSON.stringify` see the answer alone.
 *
 * @typeParam T the answer
 * @typeParam I one item
 */
export type Page<T, I> = T & (string extends keyof T ? PageMethods<T, I> : Omit<PageMethods<T, I>, keyof T>);

/**
 * The promise of a page: await it for the first one, or go through the items of all of them.
 *
 * Every page is a call of its own, with the options of the first, retries included.
 *
 * @example
 * for await (const document of client.corpus.search('dhātu')) console.log(document.title);
 */
export class PagePromise<T, I> extends APIPromise<Page<T, I>> {
  /** Page by page, the first one included. */
  async *pages(): AsyncGenerator<Page<T, I>, void, undefined> {
    yield* pagesFrom(await this);
  }

  /** Item by item, across pages. */
  async *[Symbol.asyncIterator](): AsyncGenerator<I, void, undefined> {
    yield* itemsFrom<I>(await this);
  }
}

/** Describes answers that are pages. */
export function page(spec: PageSpec): GoesOn {
  return {
    promise: PagePromise,
    bind(origin, value) {
      if (typeof value !== 'object' || value === null) return value; // another answer than a list
      PLACES.set(value, firstPlace(origin, spec));
      return withMethods(value, METHODS);
    },
  };
}

/** Where a page is in its list. */
interface Place {
  readonly origin: Origin;
  readonly spec: PageSpec;
  /** Equal for equal pages: the cursor, the link, the number or the offset. */
  readonly key: unknown;
  /**
   * The way to the page, as far as it takes to notice that it goes round in circles (R. P. Brent, 1980): the key of an
   * earlier page, namely the first, then the first after each power of two, and how many pages that was ago. However
   * many pages a circle has, it is noticed before three times as many are read.
   */
  readonly mark: unknown;
  readonly steps: number;
  readonly power: number;
  /** Items on earlier pages, where that is known. */
  readonly before: number | undefined;
}

/** What brings the next page. */
interface NextCall {
  readonly key: unknown;
  readonly args: Arguments;
  readonly options: CallOptions;
}

const PLACES: WeakMap<object, Place> = /*#__PURE__*/ new WeakMap();

const METHODS = {
  hasNextPage(this: object): boolean {
    return nextCall(this) !== undefined;
  },
  nextPage(this: object): Promise<object | undefined> {
    return nextPage(this);
  },
  pages(this: object): AsyncGenerator<object, void, undefined> {
    return pagesFrom(this);
  },
  [Symbol.asyncIterator](this: object): AsyncGenerator<unknown, void, undefined> {
    return itemsFrom(this);
  },
};

async function* pagesFrom<T extends object>(first: T): AsyncGenerator<T, void, undefined> {
  let page: T | undefined = first;
  while (page) {
    yield page;
    page = await nextPage(page);
  }
}

async function* itemsFrom<I>(first: object): AsyncGenerator<I, void, undefined> {
  for await (const page of pagesFrom(first)) {
    // Not `yield*`: an array that is a page has an iterator of pages itself.
    for (const item of itemsOf(page, placeOf(page).spec)) yield item as I;
  }
}

async function nextPage<T extends object>(page: T): Promise<T | undefined> {
  const found = nextCall(page);
  if (!found) return undefined;
  const { origin, spec, mark, power, before, ...place } = placeOf(page);
  const following = (await origin.client.call(origin.invocation.operation, found.args, found.options)) as T;
  const items = itemsOf(page, spec);
  if (isCounted(spec) && items.length && same(items, itemsOf(following, spec))) {
    throw new PaginationError(
      `the server gives the same items whatever ${spec.argument} says`,
      origin.invocation.operation.key,
    );
  }
  const steps = place.steps + 1;
  const turn = steps === power;
  PLACES.set(following, {
    ...placeOf(following),
    key: found.key,
    mark: turn ? found.key : mark,
    steps: turn ? 0 : steps,
    power: turn ? power * 2 : power,
    before: before === undefined ? undefined : before + items.length,
  });
  return following;
}

/** What brings the page after this one; undefined where it is the last. */
function nextCall(page: object): NextCall | undefined {
  const place = placeOf(page);
  const found = asked(page, place);
  if (found && (same(found.key, place.key) || same(found.key, place.mark))) {
    throw new PaginationError(
      'the server points to a page that was read already, so that the list has no end',
      place.origin.invocation.operation.key,
    );
  }
  return found;
}

function asked(page: object, { origin, spec, key, before }: Place): NextCall | undefined {
  const { arguments: given, options } = origin.invocation;
  const { style = 'cursor', argument = '', cursor = '', total } = spec;
  if (style === 'link') {
    const link = cursor ? member(page, cursor) : nextLink(origin.answer.headers.get('link') ?? '');
    return link ? linked(String(link), origin) : undefined;
  }
  const turned = (next: unknown) => ({ key: next, args: { ...given, [argument]: next }, options });
  if (style === 'cursor') {
    const next = member(page, cursor);
    return next === undefined || next === null || next === '' ? undefined : turned(next);
  }
  const count = itemsOf(page, spec).length;
  const all = total ? member(page, total) : undefined;
  const isLast = typeof all === 'number' && before !== undefined && before + count >= all;
  return !count || isLast ? undefined : turned(Number(key) + (style === 'offset' ? count : 1));
}

/** The same operation with the query of a link; wherever it points, credentials go nowhere else. */
function linked(link: string, { invocation }: Origin): NextCall {
  const query = new URLSearchParams(/\?([^#]*)/.exec(link)?.[1] ?? '');
  const args: Record<string, unknown> = { ...invocation.arguments };
  for (const { argument, in: place, name = argument } of invocation.operation.parameters?.specs ?? []) {
    if (place !== 'query') continue;
    const values = query.getAll(name);
    args[argument] = values.length > 1 ? values : values[0];
    query.delete(name);
  }
  return { key: link, args, options: { ...invocation.options, extraQuery: Object.fromEntries(query) } };
}

/** The target of the link whose relation is `next` (RFC 8288); empty where there is none. */
export function nextLink(header: string): string {
  for (const [, target = '', parameters = ''] of header.matchAll(
    /<([^>]*)>((?:\s*;[^,;"]*(?:"[^"]*")?)*)/g,
  )) {
    // Parameter by parameter, since a title may hold anything.
    for (const [, name, quoted, plain] of parameters.matchAll(/;\s*(\w+)\s*=\s*(?:"([^"]*)"|([^;\s]*))/g)) {
      if (name?.toLowerCase() !== 'rel') continue;
      if (/(^|\s)next(\s|$)/i.test(quoted ?? plain ?? '')) return target;
      break;
    }
  }
  return '';
}

function firstPlace(origin: Origin, spec: PageSpec): Place {
  const { argument = '', first = 1, style } = spec;
  let key = origin.invocation.arguments[argument];
  if (isCounted(spec)) key = key === undefined ? first : Number(key);
  const before = style === 'offset' ? Number(key) : key === first ? 0 : undefined;
  return { origin, spec, key, mark: key, steps: 0, power: 1, before };
}

function placeOf(page: object): Place {
  const place = PLACES.get(page);
  if (!place) throw new TypeError('this page was not answered by a client');
  return place;
}

function itemsOf(page: object, spec: PageSpec): readonly unknown[] {
  const items = member(page, spec.items);
  return Array.isArray(items) ? items : [];
}

/** Whether pages go by numbers, which always move on. */
function isCounted({ style }: PageSpec): boolean {
  return style === 'page' || style === 'offset';
}

/** Whether two JSON values of one server are equal. */
function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
