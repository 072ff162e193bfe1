/** Whether to try again, and when: pure functions of what happened. */

import type { RetryClass } from '../call.js';
import { isAnswer, isUnsent, type Outcome } from '../wire.js';
import { complete } from './complete.js';

/** How often and how patiently to try again. */
export interface RetryPolicy {
  /**
   * After the first attempt; 0 turns them off.
   *
   * @default 2
   */
  readonly maxRetries?: number;
  /**
   * Before retry `n` (1 = first) a wait is drawn from 0 to `min(capMs, baseMs * 2 ** (n - 1))` milliseconds.
   *
   * @default 500
   */
  readonly baseMs?: number;
  /** @default 8_000 */
  readonly capMs?: number;
  /**
   * A server that asks for a longer wait is not asked again: coming earlier than told would be rude, and waiting that
   * long is for the caller to decide.
   *
   * @default 60_000
   */
  readonly retryAfterCapMs?: number;
}

/** The policy with its defaults; throws `ConfigurationError`. */
export function resolveRetry(policy?: RetryPolicy): Required<RetryPolicy> {
  return complete('retry', { maxRetries: 2, baseMs: 500, capMs: 8000, retryAfterCapMs: 60_000 }, policy);
}

/**
 * Whether another attempt could help and cannot do harm.
 *
 * What provably never left may always go again. `never` stops there; `safe` alone repeats a 500, which may come from
 * the middle of an action.
 */
export function mayRepeat(outcome: Outcome, retry: RetryClass, bodyRepeatable: boolean): boolean {
  if (!bodyRepeatable) return false;
  if (!isAnswer(outcome)) return retry !== 'never' || isUnsent(outcome);
  return outcome.status === 500
    ? retry === 'safe'
    : retry !== 'never' && [408, 429, 502, 503, 504].includes(outcome.status);
}

/** Milliseconds to wait before the next retry; undefined where none is left or the server asked for too much. */
export type Backoff = (askedMs: number | undefined) => number | undefined;

/**
 * The waits of one call; never shared.
 *
 * Before retry `n` (1 = first): `random() * min(capMs, baseMs * 2 ** (n - 1))`, which is full jitter, but never less
 * than the server asked for.
 */
export function backoff(policy: RetryPolicy, random: () => number): Backoff {
  const { maxRetries, baseMs, capMs, retryAfterCapMs } = resolveRetry(policy);
  let retries = 0;
  return (askedMs = 0) => {
    if (retries >= maxRetries) return undefined;
    const jitteredMs = random() * Math.min(capMs, baseMs * 2 ** retries++);
    return askedMs > retryAfterCapMs ? undefined : Math.max(jitteredMs, askedMs);
  };
}
