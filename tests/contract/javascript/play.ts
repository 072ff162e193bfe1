/** Plays a case to a client, and records what comes of it. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BinaryResponse, LibraryAPI } from 'library';
import { VirtualClock } from './clock.js';
import type { Given, ScriptedCall } from './files.js';
import { argumentsOf, clientOptions, connectMs, optionsOf, surroundingsOf } from './given.js';
import { casesWords, jsonOf, type Outcome, outcomeOf, type Recorded, refusalOf } from './record.js';
import { Server } from './server.js';

/** Throws where the server was asked for what the case does not tell of. */
export async function play(given: Given): Promise<Recorded> {
  const clock = new VirtualClock();
  const server = new Server(given.server, clock, connectMs(given));
  const record: Recorded = { arrivals: server.arrivals, sleeps: [], outcomes: [], events: [], warnings: [] };
  await clock.run(playAll(given, clock, server, record));
  if (server.unexpected.length) throw new Error(`nobody expected ${server.unexpected.join(', ')}`);
  return record;
}

async function playAll(given: Given, clock: VirtualClock, server: Server, record: Recorded): Promise<void> {
  const surroundings = surroundingsOf(
    given,
    clock,
    (delayMs) => record.sleeps.push(delayMs / 1000),
    (message) => record.warnings.push(message),
  );
  const onEvent = (event: object) => record.events.push(casesWords(event));
  let client: LibraryAPI;
  try {
    client = new LibraryAPI({ ...clientOptions(given), fetch: server.fetch, onEvent, surroundings });
  } catch (error) {
    record.outcomes.push(refusalOf(error));
    return;
  }
  for (const together of groups(given.calls)) {
    record.outcomes.push(...(await Promise.all(together.map((call) => outcome(client, call, clock)))));
  }
}

/** Those that go together, in a row; each of the others alone. */
function* groups(calls: readonly ScriptedCall[]): Generator<readonly ScriptedCall[]> {
  let together: ScriptedCall[] = [];
  for (const call of calls.flatMap((call) => Array<ScriptedCall>(call.repeat ?? 1).fill(call))) {
    if (!call.concurrent && together.length) {
      yield together;
      together = [];
    }
    if (call.concurrent) together.push(call);
    else yield [call];
  }
  if (together.length) yield together;
}

async function outcome(client: LibraryAPI, call: ScriptedCall, clock: VirtualClock): Promise<Outcome> {
  const items: unknown[] = [];
  const leave = new AbortController();
  if (call.after_s) await clock.sleep(call.after_s * 1000);
  const stay =
    call.cancel_after_s === undefined
      ? () => {}
      : clock.timer(call.cancel_after_s * 1000, () => leave.abort());
  try {
    return await result(begin(client, call, leave.signal), call, items);
  } catch (error) {
    if (leave.signal.aborted && error === leave.signal.reason) return { cancelled: true };
    return { ...(items.length && { items }), ...refusalOf(error) };
  } finally {
    stay();
  }
}

/** What the promises of methods can do that is looked for here. */
interface Begun extends PromiseLike<unknown>, AsyncIterable<unknown> {
  asResponse(): Promise<Raw>;
  pages(): AsyncIterable<unknown>;
}

interface Raw {
  readonly headers: Headers;
  parse(): unknown;
}

interface Waits {
  wait(options: object): Promise<unknown>;
}

/** Calls the method; one that takes the id of something takes it first, and everything else by name. */
function begin(client: LibraryAPI, call: ScriptedCall, signal: AbortSignal): Begun {
  const [resource = '', name = ''] = call.operation.split('.');
  // Methods are found by name, for which no type can be known.
  const methods = (client as unknown as Record<string, Record<string, (...given: unknown[]) => Begun>>)[
    resource
  ];
  const { id, ...others } = argumentsOf(call);
  const options = { ...optionsOf(call.options), ...(call.cancel_after_s !== undefined && { signal }) };
  const given = [...(id === undefined ? [] : [id]), ...(Object.keys(others).length ? [others] : []), options];
  const method = methods?.[name];
  if (!method) throw new Error(`there is no ${call.operation}`);
  return method.apply(methods, given);
}

async function result(begun: Begun, call: ScriptedCall, items: unknown[]): Promise<Outcome> {
  if (call.raw) return rawOutcome(await begun.asResponse());
  if (call.through) return taken(call.through === 'pages' ? begun.pages() : begun, call, items);
  let value = await begun;
  if (call.wait) value = await (value as Waits).wait(optionsOf(call.wait));
  if (isBinary(value)) return outcomeOf(call.save ? await saved(value, call.save) : await value.bytes());
  return isStream(value) ? taken(value, call, items) : outcomeOf(value);
}

async function rawOutcome(raw: Raw): Promise<Outcome> {
  const value = await raw.parse();
  return {
    ...outcomeOf(isBinary(value) ? await value.bytes() : value),
    answer: { ...casesWords(raw), headers: Object.fromEntries(raw.headers) },
  };
}

function isBinary(value: unknown): value is BinaryResponse {
  return typeof value === 'object' && value !== null && 'save' in value;
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && 'close' in value && Symbol.asyncIterator in value;
}

/** The items of a series, or as many as are taken; those before an error stay in `items`. */
async function taken(series: AsyncIterable<unknown>, { take = Infinity }: ScriptedCall, items: unknown[]) {
  const iterator = series[Symbol.asyncIterator]();
  while (items.length < take) {
    const next = await iterator.next();
    if (next.done) return { items };
    items.push(jsonOf(next.value));
  }
  await iterator.return?.();
  return { items };
}

async function saved(download: BinaryResponse, options: object): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'contract-'));
  try {
    await download.save(join(folder, 'saved'), options);
    return await readFile(join(folder, 'saved'));
  } finally {
    await rm(folder, { recursive: true });
  }
}
