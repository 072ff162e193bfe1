/**
 * What a client tells those who listen: one plain object for everything that happens to a call.
 *
 * `new DhatuAPI({ onEvent: console.log })` shows them all. They hold no header, no query, no body and no credential.
 */

import type { FailureKind } from '../wire.js';

/** What the events of one call have in common. */
interface OfCall {
  /** Numbers the calls of a process; the same in all events of one. */
  readonly call: number;
  /** `corpus.search`. */
  readonly operation: string;
}

/** An operation was called. */
export interface CallStarted extends OfCall {
  readonly type: 'CallStarted';
}

/** A request is sent. */
export interface AttemptStarted extends OfCall {
  readonly type: 'AttemptStarted';
  /** 1 for the first. */
  readonly attempt: number;
  readonly method: string;
  /** Without its query and user. */
  readonly url: string;
}

/** An answer came, or none did. */
export interface AttemptFinished extends OfCall {
  readonly type: 'AttemptFinished';
  readonly attempt: number;
  readonly durationMs: number;
  /** Undefined where no answer came. */
  readonly status: number | undefined;
  /** Empty where an answer came. */
  readonly failure: FailureKind | 'cancelled' | '';
  readonly requestId: string;
}

/** Another attempt follows after a wait. */
export interface RetryScheduled extends OfCall {
  readonly type: 'RetryScheduled';
  /** The one that is to come. */
  readonly attempt: number;
  readonly delayMs: number;
}

/** A call waits, because the rate limit has nothing left. */
export interface Paced extends OfCall {
  readonly type: 'Paced';
  readonly delayMs: number;
}

/** A second attempt is sent beside a slow one. */
export interface Hedged extends OfCall {
  readonly type: 'Hedged';
  /** The one that is added. */
  readonly attempt: number;
  readonly afterMs: number;
}

/** A call was fulfilled or rejected. */
export interface CallFinished extends OfCall {
  readonly type: 'CallFinished';
  readonly attempts: number;
  readonly durationMs: number;
  /** Name of the error's class, `Cancelled` where the caller left; empty for a success. */
  readonly error: string;
}

/** An endpoint fails more than the others and is left out for a while. */
export interface EndpointEjected {
  readonly type: 'EndpointEjected';
  readonly endpoint: string;
  readonly forMs: number;
  readonly reason: string;
}

/** An endpoint is called again. */
export interface EndpointRestored {
  readonly type: 'EndpointRestored';
  readonly endpoint: string;
}

/** A circuit breaker opened, tries, or closed. */
export interface BreakerChanged {
  readonly type: 'BreakerChanged';
  /** The endpoint, or the operation at one. */
  readonly breaker: string;
  readonly state: 'open' | 'half_open' | 'closed';
}

/** What happens to one call; events with the same `call` belong together. */
export type CallEvent =
  | CallStarted
  | AttemptStarted
  | AttemptFinished
  | RetryScheduled
  | Paced
  | Hedged
  | CallFinished;

/** What a listener is told, by its `type`. */
export type Event = CallEvent | EndpointEjected | EndpointRestored | BreakerChanged;

/** What a call ended with, in a word: `Cancelled` where its flow was closed. */
export function errorName(error: unknown): string {
  return typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : 'Error';
}
