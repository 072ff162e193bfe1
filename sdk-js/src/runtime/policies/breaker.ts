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
  const given = policy === null ? { failures: Infinity, failureRate: 1 } : policy;
  return complete(
    'breaker',
    { failures: 10, failureRate: 0.5, windowMs: 10_000, minCalls: 20, openMs: 5000, halfOpenCalls: 3 },
    given,
  );
}

/** To be called once with whether the attempt failed; undefined where its end says nothing, as when the caller left. */
export type Admitted = (failed: boolean | undefined) => void;

/** Closed, open or half open. */
export interface Breaker {
  /** Leave for one attempt; undefined where calls are refused. */
  admit(): Admitted | undefined;
  /** Milliseconds until the next attempt may be admitted; 0 where it would be now. */
  refusesForMs(): number;
}

export function breakerOf(
  policy: Required<BreakerPolicy>,
  now: () => number,
  changed: (state: BreakerState) => void,
): Breaker {
  const { failures, failureRate, windowMs, minCalls, openMs, halfOpenCalls } = policy;
  let state: BreakerState;
  let opensAgainAt: number;
  /** Failures while it is closed, successes while it is half open. */
  let inRow: number;
  /** Under way. */
  let trials: number;
  /** Counts changes of state: an outcome from before the last one says nothing about now. */
  let epoch = 0;
  /** The latest calls and their failures, in slices of a tenth of the window. */
  let slices: { readonly number: number; calls: number; failed: number }[];

  function become(next: BreakerState): void {
    state = next;
    opensAgainAt = now() + openMs;
    inRow = trials = 0;
    slices = [];
    epoch++;
  }

  function refusesForMs(): number {
    if (state === 'open') return Math.max(0, opensAgainAt - now());
    return state === 'half_open' && trials >= halfOpenCalls ? openMs : 0;
  }

  function admit(): Admitted | undefined {
    if (refusesForMs()) return undefined;
    const opened = state === 'open';
    if (opened) become('half_open');
    trials++;
    const begun = epoch;
    if (opened) changed(state);
    return (failed) => {
      if (begun === epoch) settle(failed);
    };
  }

  /** The share of failures in the window, from 0 to 1; 0 while there are too few calls to tell. */
  function rateWith(failed: boolean): number {
    const number = Math.floor((now() / windowMs) * SLICES);
    slices = slices.filter((slice) => slice.number > number - SLICES);
    let latest = slices.at(-1);
    if (latest?.number !== number) {
      latest = { number, calls: 0, failed: 0 };
      slices.push(latest);
    }
    latest.calls++;
    if (failed) latest.failed++;
    const sum = (of: 'calls' | 'failed') => slices.reduce((total, slice) => total + slice[of], 0);
    return sum('calls') < minCalls ? 0 : sum('failed') / sum('calls');
  }

  function settle(failed: boolean | undefined): void {
    trials--;
    if (failed === undefined) return;
    let next: BreakerState | undefined;
    if (state === 'half_open') {
      if (failed) next = 'open';
      else if (++inRow >= halfOpenCalls) next = 'closed';
    } else {
      const rate = rateWith(failed);
      inRow = failed ? inRow + 1 : 0;
      if (failed && (inRow >= failures || rate > failureRate)) next = 'open';
    }
    if (!next) return;
    become(next);
    changed(next); // at the end: who listens may make a call
  }

  become('closed');
  return { admit, refusesForMs };
}

/** Leave to send one attempt, to be called once with how it ended; undefined where it was given up. */
export type Settle = (outcome: Outcome | undefined) => void;

/** The breakers of a client: by endpoint, and by endpoint and operation; made when first asked for. */
export interface Breakers {
  /** Leave to send one attempt; undefined where either breaker refuses. */
  admit(url: string, operation: string): Settle | undefined;
  /** Milliseconds until the next attempt may be admitted; 0 where it would be now. */
  refusesForMs(url: string, operation: string): number;
  /** Forgets those of endpoints that are gone. */
  forget(urls: readonly string[]): void;
}

/** Null: every call is tried. `changed` is told the name of a breaker and its new state. */
export function breakersOf(
  policy: BreakerPolicy | null | undefined,
  now: () => number,
  changed: (name: string, state: BreakerState) => void,
): Breakers {
  const whole = resolveBreaker(policy);
  const breakers = new Map<string, Breaker>();

  function named(name: string): Breaker {
    const breaker = breakers.get(name) ?? breakerOf(whole, now, (state) => changed(name, state));
    breakers.set(name, breaker);
    return breaker;
  }
  /** That of the endpoint, and that of the operation there. */
  const both = (url: string, operation: string) => [named(url), named(`${operation} at ${url}`)] as const;
  const longestMs = ([ofEndpoint, ofOperation]: ReturnType<typeof both>) =>
    Math.max(ofEndpoint.refusesForMs(), ofOperation.refusesForMs());

  return {
    refusesForMs: (url, operation) => longestMs(both(url, operation)),
    admit(url, operation) {
      const found = both(url, operation);
      if (longestMs(found)) return undefined;
      const [ofEndpoint, ofOperation] = found.map((breaker) => breaker.admit());
      return (outcome) => {
        ofEndpoint?.(endpointFailed(outcome));
        ofOperation?.(operationFailed(outcome));
      };
    },
    forget(urls) {
      for (const name of breakers.keys()) if (urls.includes(name.replace(/^.* /, ''))) breakers.delete(name);
    },
  };
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
