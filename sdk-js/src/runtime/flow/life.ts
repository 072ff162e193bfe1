/** The life of one call, without I/O: attempts and waits, decided here and carried out by a driver. */

import { BreakerOpenError, DeadlineExceededError, type DhatuError } from '../errors.js';
import { type Backoff, backoff, mayRepeat, retryAfterMs } from '../policies/retry.js';
import type { CallWatch } from '../watch/watch.js';
import {
  type Answer,
  type Fetch,
  type HeaderList,
  isAnswer,
  type Outcome,
  type Race,
  type Send,
  type Sleep,
  TransportFailed,
} from '../wire.js';
import { Attempts } from './attempts.js';
import { failureError, refusalError } from './failures.js';
import type { Call, Policies, TokenSource } from './plan.js';

export type Step = Send | Race | Sleep | Fetch;

/**
 * Yields what to do and is sent what came of it: an `Outcome`, a `Raced`, nothing after a `Sleep`, what was fetched, which
 * may also be thrown in it. Returns a success.
 */
export type Flow = Generator<Step, Answer, unknown>;

/** A part of a flow. */
type Part<T> = Generator<Step, T, unknown>;

/** By how much timers may be early. */
const CLOCK_MS = 1;

/** What a call ended with whose flow was closed: no error, since nothing went wrong. */
const LEFT = { name: 'Cancelled' };

/**
 * Attempts, waits and attempts again, until an answer is a success.
 *
 * Throws the error of the last attempt; closing the flow early, as cancellation does, counts for nothing.
 */
export function* callFlow(call: Call, policies: Policies): Flow {
  const watch = policies.watch(call.operation.key, call.operation.path);
  const attempts = new Attempts(call, policies, watch);
  let ended: unknown = LEFT;
  try {
    const answer = yield* new Life(call, policies, watch, attempts).run();
    ended = undefined;
    return answer;
  } catch (error) {
    ended = error;
    throw error;
  } finally {
    watch.finished(attempts.number, ended);
  }
}

/** What a call knows of itself while it lasts. */
class Life {
  readonly #call: Call;
  readonly #policies: Policies;
  readonly #watch: CallWatch;
  readonly #attempts: Attempts;
  #error: DhatuError | undefined;
  #backoff: Backoff | undefined;
  #renewed = false;

  constructor(call: Call, policies: Policies, watch: CallWatch, attempts: Attempts) {
    this.#call = call;
    this.#policies = policies;
    this.#watch = watch;
    this.#attempts = attempts;
  }

  *run(): Flow {
    this.#policies.budget.deposit();
    for (;;) {
      let outcome: Outcome;
      let elsewhere = true;
      try {
        outcome = yield* this.#authorised();
      } catch (error) {
        if (!(error instanceof TransportFailed)) throw error;
        outcome = error.failure; // what had to be fetched first could not be
        elsewhere = false;
      }
      if (isAnswer(outcome) && outcome.status < 300) return { ...outcome, attempts: this.#attempts.number };
      yield { step: 'sleep', delayMs: this.#delayMs(outcome, elsewhere) };
    }
  }

  // One attempt, and what comes before it: a token, a place in the queue, an endpoint.

  /** An attempt with a token where one is needed, and another with a new one where it is refused. */
  *#authorised(): Part<Outcome> {
    const { tokens } = this.#call;
    if (!tokens) return yield* this.#paced([]);
    for (;;) {
      const token = yield* this.#token(tokens);
      const outcome = yield* this.#paced([['authorization', `Bearer ${token}`]]);
      if (this.#renewed || !isAnswer(outcome) || outcome.status !== 401) return outcome;
      this.#renewed = true;
      tokens.refused(token);
      if (!this.#repeatable()) return outcome;
    }
  }

  *#token(source: TokenSource): Part<string> {
    return (
      source.ready(this.#policies.now()) ??
      String(yield { step: 'fetch', source, timeLeftMs: this.#attempts.leftMs() })
    );
  }

  /** An attempt as soon as the rate limit leaves room for it. */
  *#paced(headers: HeaderList): Part<Outcome> {
    const { pacer, now } = this.#policies;
    if (!pacer) return yield* this.#placed(headers);
    const { key } = this.#call.operation;
    let outcome: Outcome | undefined;
    const waitMs = pacer.reserve(key, now());
    try {
      if (waitMs > 0) {
        if (waitMs >= this.#attempts.leftMs()) throw this.#error ?? this.#noRoom(waitMs);
        this.#watch.paced(waitMs);
        yield { step: 'sleep', delayMs: waitMs };
      }
      outcome = yield* this.#placed(headers);
      return outcome;
    } finally {
      const answer = isAnswer(outcome) ? outcome : undefined;
      const heldMs = answer?.status === 429 ? this.#askedMs(answer) : 0;
      pacer.release(key, now(), answer?.headers, heldMs);
    }
  }

  #noRoom(waitMs: number): DhatuError {
    const { operation, timeoutMs } = this.#call;
    return new DeadlineExceededError(
      `not sent, since the rate limit leaves no room for another ${(waitMs / 1000).toFixed(1)} s, which is more than is left of ${timeoutMs / 1000} s`,
      operation.key,
      this.#attempts.number,
    );
  }

  /** An attempt at one of the endpoints, or at two where the first is slow. */
  *#placed(headers: HeaderList): Part<Outcome> {
    const { endpoints, operation } = this.#call;
    const { hedger, now } = this.#policies;
    const attempts = this.#attempts;
    const source = endpoints.source(now());
    if (source) yield { step: 'fetch', source, timeLeftMs: attempts.leftMs() };
    const attempt = attempts.begin(headers);
    if (!attempt) throw this.#error ?? new BreakerOpenError(operation.key, attempts.refusedMs());
    const afterMs = this.#mayHedge() ? hedger?.of(operation.key).delayMs() : undefined;
    if (hedger && afterMs !== undefined)
      return yield* hedger.hedged(attempt, afterMs, attempts, () => {
        const second =
          this.#repeatable() && this.#policies.budget.withdraw() ? attempts.begin(headers) : undefined;
        if (second) this.#watch.hedged(second.number, afterMs);
        return second;
      });
    let outcome: Outcome | undefined;
    try {
      // A driver answers Send with an outcome.
      outcome = (yield attempt.step) as Outcome;
      return outcome;
    } finally {
      attempts.end(attempt, outcome);
    }
  }

  // After an attempt that did not succeed.

  /**
   * Milliseconds to wait before the next attempt, perhaps none where it may go `elsewhere`.
   *
   * Throws the error of this one where there is to be none.
   */
  #delayMs(outcome: Outcome, elsewhere: boolean): number {
    const { budget, random } = this.#policies;
    const { operation, retry } = this.#call;
    const attempts = this.#attempts;
    const askedMs = isAnswer(outcome) ? this.#askedMs(outcome) : undefined;
    const error = this.#errorOf(outcome, askedMs);
    this.#error = error;
    if (!mayRepeat(outcome, operation.retry ?? 'never', this.#repeatable())) throw error;
    this.#backoff ??= backoff(retry, random);
    let delayMs = this.#backoff(askedMs);
    const free = elsewhere && attempts.mayGoElsewhere(outcome);
    if (delayMs && free) delayMs = 0;
    if (delayMs === undefined || delayMs >= attempts.leftMs() || delayMs < attempts.refusedMs()) throw error;
    // Where nobody was there, nothing was asked of anybody: to ask another one adds nothing to the load.
    if (!free && !budget.withdraw()) throw error;
    this.#watch.retryScheduled(attempts.number + 1, delayMs);
    return delayMs;
  }

  #errorOf(outcome: Outcome, askedMs: number | undefined): DhatuError {
    const { operation, timeoutMs, attemptTimeoutMs } = this.#call;
    const { number } = this.#attempts;
    if (isAnswer(outcome)) return refusalError(outcome, operation.key, askedMs, number);
    const overdue = attemptTimeoutMs === undefined || this.#attempts.leftMs() < CLOCK_MS;
    return failureError(outcome, operation.key, overdue ? timeoutMs : attemptTimeoutMs, number, overdue);
  }

  // Small questions.

  #askedMs(answer: Answer): number | undefined {
    return retryAfterMs(answer.headers, this.#policies.wall());
  }

  #repeatable(): boolean {
    return this.#call.request.body?.repeatable ?? true;
  }

  #mayHedge(): boolean {
    const { retry } = this.#call.operation;
    return retry === 'safe' || retry === 'idempotent';
  }
}
