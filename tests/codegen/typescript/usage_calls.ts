// How the generated functions and methods may be called, and how not: compiled, never run.

import { AcmeAPI as Library } from './library/generated/index.js';
import { AcmeAPI as Perils, type BodiesVariantsParams } from './perils/generated/index.js';
import { createClient, namedPositional, streamsAsFlag } from './perils/generated/operations/index.js';
import type * as perils from './perils/generated/types.js';
import type { EventStream } from './runtime/answers/streams.js';
import { AcmeAPI as Shop } from './shop/generated/index.js';
import { echo } from './shop/generated/operations/index.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<A, B>(_: Same<A, B>): void {}

const client = new Perils({ apiKey: 'k' });
const bare = createClient();
const shop = new Shop();
const library = new Library();
const bytes = new Uint8Array();

export async function answers(): Promise<void> {
  const plain = await client.streams.asFlag('x');
  is<typeof plain, perils.ContentModel>(true);
  const events = await client.streams.asFlag('x', { stream: true });
  is<typeof events, EventStream<perils.Piece>>(true);
  const either = await streamsAsFlag(bare, 'x', { stream: Math.random() > 0.5 });
  is<typeof either, perils.ContentModel | EventStream<perils.Piece>>(true);
  const text = await shop.echo('so');
  is<typeof text, { text: string }>(true);
  const whole = await (await echo(bare, bytes)).bytes();
  is<(typeof whole)['length'], number>(true);
  const nothing = await client.answers.none();
  is<typeof nothing, undefined>(true);
  const { data, response } = await client.answers.words().withResponse();
  is<typeof data.BinaryResponse, 'Content' | 'EventStream<' | 't.Content' | 's.Content' | 'Series<' | (string & {})>(true);
  is<typeof response.status, number>(true);
}

export async function pages(): Promise<void> {
  for await (const book of library.books.list({ shelf: 's' })) is<typeof book.title, string>(true);
  const page = await library.books.list();
  is<typeof page.books.length, number>(true);
  const next = await page.nextPage();
  is<NonNullable<typeof next>['count'], number | undefined>(true);
  for await (const found of library.books.search({ words: 'w' })) is<typeof found, { title?: string; pages?: number }>(true);
  // What the answer has itself is not hidden.
  const hiding = await client.jobs.hiding();
  is<typeof hiding.pages, number | undefined>(true);
  is<typeof hiding.nextPage, string | undefined>(true);
  // @ts-expect-error a list of one page has no more of them
  for await (const pet of shop.pets.list()) console.log(pet);
}

export async function jobs(): Promise<void> {
  const begun = await library.scans.begin({ book: 'b' });
  const done = await begun?.wait({ timeoutMs: 1 });
  is<NonNullable<typeof done>['percent'], number | undefined>(true);
  const job = await client.jobs.begin();
  is<typeof job.wait, string | undefined>(true);
  const ended = await client.prose.jobState('j', { timeoutMs: 5, maxRetries: 0 });
  is<typeof ended.id, string>(true);
}

export function wrong(): void {
  // @ts-expect-error the path has a variable
  void client.streams.asFlag();
  // @ts-expect-error of this type
  void client.streams.asFlag(7);
  // @ts-expect-error there is no such argument
  void client.streams.asFlag('x', { stram: true });
  // @ts-expect-error an option stands after the arguments
  void client.streams.asFlag('x', { timeoutMs: 5 });
  // @ts-expect-error there is no such option
  void client.streams.asFlag('x', {}, { timeout: 5 });
  // @ts-expect-error the body has to be there
  void shop.echo();
  // @ts-expect-error one or the other
  void shop.echo(7);
  // @ts-expect-error what must be given comes after what may be
  void client.bodies.optional('a', 'b');
  // @ts-expect-error only those that are described
  void client.bodies.raw('1', { content: bytes, contentType: 'image/gif' });
  // @ts-expect-error the key is missing
  void client.bodies.variants('key', {});
  // @ts-expect-error a password has no key
  void client.bodies.variants('password', { key: 'k' });
  // @ts-expect-error text and bytes are two bodies
  void client.named.arrangedArguments('a', 'b', 'c', 'd', 'e', 'f', { text: 't', content: 7 });
  // @ts-expect-error functions take a client first
  void namedPositional('x');
  // @ts-expect-error options of the client have names
  new Perils({ key: 'k' });
}

export function right(): void {
  void client.bodies.optional(undefined, undefined, { must: 'm' });
  void client.bodies.range('1');
  void client.bodies.linesOrCsv({ content: [{ text: 'a' }] });
  void client.bodies.wholeArray(['a'], { signal: AbortSignal.timeout(1) });
  const given: BodiesVariantsParams = { password: 'p' };
  void client.bodies.variants('password', given);
  void client.methods.delete({ maxRetries: 0 });
  void client.named.places('1', { 'शलक': 'x', idQuery: undefined });
  void client.withOptions({ maxRetries: 0 }).streams.inQuery('1', { stream: false });
}
