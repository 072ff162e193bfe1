/**
 * The circuit breaker: where too much fails, calls are refused here until trial calls succeed.
 *
 * One breaker stands before each endpoint and one before each operation of an endpoint, so that an operation that fails
 * does not close the way to the others.
 */

import { isAnswer, type Outcome } from '../wire.js';
import { complete } from './complete.js';

export type BreakerState = 'open' | 'half_open' | 'closed';

const SLICES = 10;

/** When to stop calling, and for how long. */
export interface BreakerPolicy {
  /**
   * In a row, at least 1.
   *
   * @default 10
   */
  readonly failures?: number;
  /**
   * Share of the calls in the window that may fail, above 0; 1 leaves only the count in a row.
   *
   * @default 0.5
   */
  readonly failureRate?: number;
  /** @default 10_000 */
  readonly windowMs?: number;
  /**
   * In the window, before its rate counts.
   *
   * @default 20
   */
  readonly minCalls?: number;
  /** @default 5_000 */
  readonly openMs?: number;
  /**
   * Trials that may be under way at once, and successes that close the breaker.
   *
   * @default 3
   */
  readonly halfOpenCalls?: number;
}

/** The policy with its defaults, null for a breaker that never opens; throws `ConfigurationError`. */
export function resolveBreaker(policy?: BreakerPolicy | null): Required<BreakerPolicy> {
  const given = policy === null ? { failures: Number.POSITIVE_INFINITY, failureRate: 1 } : policy;
  return complete(
    'breaker',
    { failures: 10, failureRate: 0.5, windowMs: 10_000, minCalls: 20, openMs: 5000, halfOpenCalls: 3 },
    given,
  );
}

/** Closed, open or half open. */
export class Breaker {
  readonly #policy: Required<BreakerPolicy>;
  readonly #now: () => number;
  readonly #changed: (state: BreakerState) => void;
  #state: BreakerState = 'closed';
  #openedAt = 0;
  /** Failures while it is closed, successes while it is half open. */
  #inRow = 0;
  /** Under way. */
  #trials = 0;
  /** Counts changes of state: an outcome from before the last one says nothing about now. */
  #epoch = 0;
  /** The latest calls, in slices of a tenth of the window. */
  #slices: { readonly number: number; calls: number; failures: number }[] = [];

  constructor(policy: Required<BreakerPolicy>, now: () => number, changed: (state: BreakerState) => void) {
    this.#policy = policy;
    this.#now = now;
    this.#changed = changed;
  }

  /** A ticket for one attempt, to be settled once; undefined where calls are refused. */
  admit(): number | undefined {
    if (this.refusesForMs()) return undefined;
    const opened = this.#state === 'open';
    if (opened) this.#become('half_open');
    this.#trials++;
    const ticket = this.#epoch;
    if (opened) this.#changed('half_open');
    return ticket;
  }

  /** Tells how an attempt ended; undefined where that says nothing of the server, as when the caller left. */
  settle(ticket: number, failed: boolean | undefined): void {
    if (ticket !== this.#epoch) return;
    this.#trials--;
    if (failed === undefined) return;
    const state = failed ? this.#afterFailure() : this.#afterSuccess();
    if (!state) return;
    this.#become(state);
    this.#changed(state); // at the end: who listens may make a call
  }

  /** Milliseconds until the next attempt may be admitted; 0 where it would be now. */
  refusesForMs(): number {
    const { openMs, halfOpenCalls } = this.#policy;
    if (this.#state === 'open') return Math.max(0, this.#openedAt + openMs - this.#now());
    return this.#state === 'half_open' && this.#trials >= halfOpenCalls ? openMs : 0;
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#openedAt = this.#now();
    this.#epoch++;
    this.#trials = this.#inRow = 0;
    this.#slices = [];
  }

  #afterFailure(): BreakerState | undefined {
    const { failures, failureRate, minCalls } = this.#policy;
    if (this.#state === 'half_open') return 'open';
    this.#count(1);
    const calls = this.#slices.reduce((sum, slice) => sum + slice.calls, 0);
    const failed = this.#slices.reduce((sum, slice) => sum + slice.failures, 0);
    return ++this.#inRow >= failures || (calls >= minCalls && failed / calls > failureRate)
      ? 'open'
      : undefined;
  }

  #afterSuccess(): BreakerState | undefined {
    if (this.#state === 'half_open')
      return ++this.#inRow >= this.#policy.halfOpenCalls ? 'closed' : undefined;
    this.#inRow = 0;
    this.#count(0);
    return undefined;
  }

  #count(failures: number): void {
    const number = Math.floor((this.#now() / this.#policy.windowMs) * SLICES);
    this.#slices = this.#slices.filter((slice) => slice.number > number - SLICES);
    let slice = this.#slices.at(-1);
    if (slice?.number !== number) {
      slice = { number, calls: 0, failures: 0 };
      this.#slices.push(slice);
    }
    slice.calls++;
    slice.failures += failures;
  }
}

/** Leave to send one attempt, to be called once with how it ended; undefined where it was given up. */
export type Settle = (outcome: Outcome | undefined) => void;

/** The breakers of a client: by endpoint, and by endpoint and operation; made when first asked for. */
export class Breakers {
  readonly #policy: Required<BreakerPolicy>;
  readonly #now: () => number;
  readonly #changed: (name: string, state: BreakerState) => void;
  readonly #breakers = new Map<string, Breaker>();

  /** Null: every call is tried. `changed` is told the name of a breaker and its new state. */
  constructor(
    policy: BreakerPolicy | null | undefined,
    now: () => number,
    changed: (name: string, state: BreakerState) => void,
  ) {
    this.#policy = resolveBreaker(policy);
    this.#now = now;
    this.#changed = changed;
  }

  /** Leave to send one attempt; undefined where either breaker refuses. */
  admit(url: string, operation: string): Settle | undefined {
    const ofEndpoint = this.#of(url);
    const ofOperation = this.#of(url, operation);
    const endpoint = ofEndpoint.admit();
    if (endpoint === undefined) return undefined;
    const ticket = ofOperation.admit();
    if (ticket === undefined) {
      ofEndpoint.settle(endpoint, undefined);
      return undefined;
    }
    return (outcome) => {
      ofEndpoint.settle(endpoint, endpointFailed(outcome));
      ofOperation.settle(ticket, operationFailed(outcome));
    };
  }

  /** Milliseconds until the next attempt may be admitted; 0 where it would be now. */
  refusesForMs(url: string, operation: string): number {
    return Math.max(this.#of(url).refusesForMs(), this.#of(url, operation).refusesForMs());
  }

  /** Forgets those of endpoints that are gone. */
  keep(urls: readonly string[]): void {
    for (const name of this.#breakers.keys())
      if (!urls.some((url) => url === name || name.endsWith(` ${url}`))) this.#breakers.delete(name);
  }

  #of(url: string, operation = ''): Breaker {
    const name = operation ? `${operation} at ${url}` : url;
    let found = this.#breakers.get(name);
    if (!found) {
      found = new Breaker(this.#policy, this.#now, (state) => this.#changed(name, state));
      this.#breakers.set(name, found);
    }
    return found;
  }
}

/** Whether the server failed at what was asked; undefined where the outcome says nothing of that. */
export function operationFailed(outcome: Outcome | undefined): boolean | undefined {
  if (!isAnswer(outcome)) return outcome && outcome.kind !== 'pool_timeout' ? true : undefined;
  const { status } = outcome;
  return status >= 500 || (status < 400 ? false : undefined);
}

/**
 * Whether the endpoint as a whole is in trouble: no answer, or one that says that nobody could give one.
 *
 * Any other answer shows that it is alive, though it may fail at the operation.
 */
export function endpointFailed(outcome: Outcome | undefined): boolean | undefined {
  return isAnswer(outcome) ? [502, 503, 504].includes(outcome.status) : operationFailed(outcome);
}
