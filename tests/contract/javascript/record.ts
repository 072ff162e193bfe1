/** What a case leaves behind, in the words of its `expected`. */

import { inspect } from 'node:util';
import { APIStatusError, LibraryError } from 'library';
import type { Arrival } from './server.js';

/** Members of a problem that have names of their own in every SDK. */
const STANDARD = new Set(['type', 'title', 'status', 'detail', 'instance', 'request_id', 'errors']);

/** As `case.schema.json` describes it under `outcome`. */
export type Outcome = Readonly<Record<string, unknown>>;

/** Everything that can be seen of a client from outside. */
export interface Recorded {
  readonly arrivals: readonly Arrival[];
  readonly sleeps: number[];
  readonly outcomes: Outcome[];
  readonly events: Readonly<Record<string, unknown>>[];
  readonly warnings: string[];
}

/** What a call returned, as JSON. */
export function jsonOf(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

/** How a call ended that returned a whole answer. */
export function outcomeOf(value: unknown): Outcome {
  if (value === undefined) return { empty: true };
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  return typeof value === 'string' ? { text: value } : { json: jsonOf(value) };
}

/** How a call ended that was rejected; everything else than an error of the SDK goes on. */
export function refusalOf(error: unknown): Outcome {
  if (!(error instanceof LibraryError)) throw error;
  const found: Record<string, unknown> = {
    ...casesWords(error),
    class: error.name,
    message: error.message,
    shown: `${inspect(error, { depth: 9 })}\n${JSON.stringify(error)}\n${error.stack}`,
  };
  if ('retryAfterMs' in error) found.retry_after_s = secondsOf(error.retryAfterMs) ?? null;
  if (error instanceof APIStatusError) {
    const { type, title, detail, instance, errors, members } = error.problem;
    const others = Object.entries(members).filter(([name]) => !STANDARD.has(name));
    found.problem = { type, title, detail, instance, extensions: Object.fromEntries(others) };
    found.fields = errors;
  }
  return { error: found };
}

/** Members in snake_case, milliseconds as seconds: `delayMs` as `delay_s`. */
export function casesWords(members: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => {
      const word = name.replace(/[A-Z]+/g, (letters) => `_${letters.toLowerCase()}`);
      return word.endsWith('_ms') ? [`${word.slice(0, -3)}_s`, secondsOf(value)] : [word, value];
    }),
  );
}

function secondsOf(value: unknown): unknown {
  return typeof value === 'number' ? value / 1000 : value;
}
