/** What a call is carried out with: itself, encoded, and the policies that all calls of a client share. */

import type { Operation } from '../call.js';
import type { Breakers } from '../policies/breaker.js';
import type { RetryBudget } from '../policies/budget.js';
import type { Hedger } from '../policies/hedge.js';
import type { Pacer } from '../policies/pacing.js';
import type { RetryPolicy } from '../policies/retry.js';
import type { WatchCall } from '../watch/watch.js';
import type { HeaderList, Outcome, Request, Source } from '../wire.js';
import type { Endpoints } from './endpoints.js';
import type { Part } from './life.js';

/**
 * Makes attempts of one call with a token each, and another with a new one where it is refused.
 *
 * `repeatable` tells whether there can be another.
 */
export type Authorise = (
  tokens: TokenSource,
  attempt: (headers: HeaderList) => Part<Outcome>,
  now: () => number,
  leftMs: () => number,
  repeatable: () => boolean,
) => () => Part<Outcome>;

/** Tokens that run out and are renewed. */
export interface TokenSource extends Source {
  /** A token that needs no renewal now; undefined where one has to be fetched. */
  ready(now: number): string | undefined;
  /** The server did not take it; the next fetch renews it, unless somebody has. */
  refused(token: string): void;
  /** What brings the tokens of one call to its attempts: here so that a bundle without tokens does without it. */
  readonly authorise: Authorise;
}

/** One call, encoded. */
export interface Call {
  readonly operation: Operation;
  readonly request: Request;
  readonly endpoints: Endpoints;
  /** For everything: attempts, waits, and the answer unless it is streamed. */
  readonly timeoutMs: number;
  /** For each attempt; undefined: all the time that is left. */
  readonly attemptTimeoutMs: number | undefined;
  readonly retry: RetryPolicy;
  /** In lower case; empty where attempt and time left are not sent. */
  readonly headerPrefix: string;
  readonly keepOpen: (status: number, contentType: string) => boolean;
  /** For each further event or piece of an answer that is kept open. */
  readonly idleMs: number;
  /** Whether an answer that breaks off may be asked for again. */
  readonly resume: boolean;
  /** Whether an answer may hold only what is described; nothing that the flow looks at. */
  readonly strict: boolean;
  /** What to authorise it with, where that has to be renewed; everything else is in the request. */
  readonly tokens: TokenSource | undefined;
}

/** The same with further headers, which replace those of the same name. */
export function withHeaders(call: Call, headers: HeaderList): Call {
  const merged = new Map([...call.request.headers, ...headers]);
  return { ...call, request: { ...call.request, headers: [...merged] } };
}

/** What the calls of a client share; time and chance are given, never taken. */
export interface Policies {
  readonly budget: RetryBudget;
  readonly breakers: Breakers;
  /** Null until a server tells of a limit, which loads it; undefined where calls are never to wait for one. */
  pacer: Pacer | null | undefined;
  readonly hedger: Hedger | undefined;
  /** Undefined where nobody watches. */
  readonly watch: WatchCall | undefined;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970, for Retry-After dates alone. */
  readonly wall: () => number;
  /** From 0 to 1, exclusive. */
  readonly random: () => number;
}
