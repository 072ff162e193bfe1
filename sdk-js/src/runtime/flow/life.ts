/** The life of one call, without I/O: attempts and waits, decided here and carried out by a driver. */

import { BreakerOpenError, DhatuError } from '../errors/local.js';
import { type Backoff, backoff, mayRepeat } from '../policies/retry.js';
import type { CallWatch } from '../watch/watch.js';
import {
  type Answer,
  type Fetch,
  type HeaderList,
  isAnswer,
  type Load,
  type Outcome,
  type Race,
  type Send,
  type Sleep,
  TransportFailed,
} from '../wire.js';
import { type Attempts, attemptsOf } from './attempts.js';
import { failureError } from './failures.js';
import type { Call, Policies } from './plan.js';

export type Step = Send | Race | Sleep | Load | Fetch;

/**
 * Yields what to do and is sent what came of it: an `Outcome`, a `Raced`, nothing after a `Sleep`, what was fetched, which
 * may also be thrown in it. Returns a success.
 */
export type Flow = Generator<Step, Answer, unknown>;

/** A part of a flow. */
export type Part<T> = Generator<Step, T, unknown>;

/** By how much timers may be early. */
const CLOCK_MS = 1;

/** Most servers tell of no limit. */
const PACING: Load = { step: 'load', module: () => import('../policies/pacing.js') };

/** Most calls are not refused. */
const REFUSALS: Load = { step: 'load', module: () => import('./refusals.js') };

/** What a call ended with whose flow was closed: no error, since nothing went wrong. */
const LEFT = { name: 'Cancelled' };

/**
 * Attempts, waits and attempts again, until an answer is a success.
 *
 * Throws the error of the last attempt; closing the flow early, as cancellation does, counts for nothing.
 */
export function* callFlow(call: Call, policies: Policies): Flow {
  const { operation, timeoutMs, attemptTimeoutMs, tokens } = call;
  const { budget, now } = policies;
  const { key, retry = 'never' } = operation;
  const watch = policies.watch?.(key, operation.path);
  const attempts = attemptsOf(call, policies, watch);
  const { leftMs } = attempts;
  let lastError: DhatuError | undefined;
  let nextMs: Backoff | undefined;
  let ended: unknown = LEFT;

  const repeatable = () => isRepeatable(call);
  /** As soon as the rate limit leaves room for it. */
  const attempt = (headers: HeaderList) => {
    const next = placed(headers, call, policies, attempts, watch, lastError);
    return (
      policies.pacer?.paced(next, call, policies, attempts, watch, lastError) ?? unpaced(next, key, policies)
    );
  };
  const authorised = tokens?.authorise(tokens, attempt, now, leftMs, repeatable) ?? (() => attempt([]));

  // After an attempt that did not succeed.

  /**
   * Milliseconds to wait before the next attempt, perhaps none where it may go `elsewhere`.
   *
   * Throws the error of this one where there is to be none.
   */
  function* delayAfter(outcome: Outcome, elsewhere: boolean): Part<number> {
    const number = attempts.number();
    let toldMs: number | undefined;
    if (isAnswer(outcome)) {
      // A page that was opened before the last release may not find the module any more.
      const found = (yield REFUSALS) as typeof import('./refusals.js') | undefined;
      toldMs = found?.retryAfterMs(outcome.headers, policies.wall());
      lastError =
        found?.refusalError(outcome, key, toldMs, number) ?? new DhatuError(`${key}: ${outcome.status}`);
    } else {
      const overdue = attemptTimeoutMs === undefined || leftMs() < CLOCK_MS;
      lastError = failureError(outcome, key, overdue ? timeoutMs : attemptTimeoutMs, number, overdue);
    }
    if (!mayRepeat(outcome, retry, repeatable())) throw lastError;
    nextMs ??= backoff(call.retry, policies.random);
    let delayMs = nextMs(toldMs);
    const free = elsewhere && attempts.mayGoElsewhere(outcome);
    if (delayMs && free) delayMs = 0;
    if (
      delayMs === undefined ||
      delayMs >= leftMs() ||
      delayMs < attempts.refusedMs() ||
      // Where nobody was there, nothing was asked of anybody: to ask another one adds nothing to the load.
      !(free || budget.withdraw())
    )
      throw lastError;
    watch?.retryScheduled(number + 1, delayMs);
    return delayMs;
  }

  try {
    budget.deposit();
    for (;;) {
      let outcome: Outcome;
      let elsewhere = true;
      try {
        outcome = yield* authorised();
      } catch (error) {
        if (!(error instanceof TransportFailed)) throw error;
        outcome = error.failure; // what had to be fetched first could not be
        elsewhere = false;
      }
      if (isAnswer(outcome) && outcome.status < 300) {
        ended = undefined;
        return { ...outcome, attempts: attempts.number() };
      }
      yield { step: 'sleep', delayMs: yield* delayAfter(outcome, elsewhere) };
    }
  } catch (error) {
    ended = error;
    throw error;
  } finally {
    watch?.finished(attempts.number(), ended);
  }
}

// One attempt. These are functions of the module, since an engine makes a class for the objects of every generator function:
// within a flow, that is for every call, and what such a class refers to, the whole call, then lives as long as classes do.

/** An attempt that waits for nothing, since no limit is known yet; its answer may tell of one. */
function* unpaced(attempt: Part<Outcome>, key: string, policies: Policies): Part<Outcome> {
  const outcome = yield* attempt;
  if (policies.pacer !== undefined && isAnswer(outcome) && tellsOfLimit(outcome)) {
    const found = (yield PACING) as typeof import('../policies/pacing.js') | undefined;
    found?.learn(policies, key, outcome);
  }
  return outcome;
}

/** An attempt at one of the endpoints, or at two where the first is slow. */
function* placed(
  headers: HeaderList,
  call: Call,
  policies: Policies,
  attempts: Attempts,
  watch: CallWatch | undefined,
  lastError: DhatuError | undefined,
): Part<Outcome> {
  const { operation, endpoints } = call;
  const source = endpoints.source(policies.now());
  if (source) yield { step: 'fetch', source, timeLeftMs: attempts.leftMs() };
  const attempt = attempts.begin(headers);
  if (!attempt) throw lastError ?? new BreakerOpenError(operation.key, attempts.refusedMs());
  const hedge = () =>
    isRepeatable(call) && policies.budget.withdraw() ? attempts.begin(headers) : undefined;
  const hedged = policies.hedger?.hedged(operation, attempt, hedge, watch);
  if (hedged) return yield* hedged;
  let outcome: Outcome | undefined;
  try {
    // A driver answers Send with an outcome.
    outcome = (yield attempt.step) as Outcome;
    return outcome;
  } finally {
    attempt.end(outcome);
  }
}

function isRepeatable({ request }: Call): boolean {
  return request.body?.repeatable ?? true;
}

function tellsOfLimit({ status, headers }: Answer): boolean {
  return status === 429 || headers.has('ratelimit') || headers.has('ratelimit-remaining');
}
