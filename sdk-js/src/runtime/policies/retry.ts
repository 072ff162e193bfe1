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

/**
 * Milliseconds that the server asks to wait; undefined where it does not, or what it says is garbled.
 *
 * `Retry-After-Ms` is exact and comes first; `Retry-After` holds seconds or a date (RFC 9110, section 10.2.3). A date
 * is compared with the server's own Date where there is one, so that a wrong clock here does no harm.
 */
export function retryAfterMs(headers: Headers, wall: number): number | undefined {
  const text = headers.get('retry-after') ?? '';
  const toldMs = decimal(headers.get('retry-after-ms'), '') ?? decimal(text, 'e3');
  if (toldMs !== undefined) return toldMs;
  const until = dateMs(text);
  return until === undefined ? until : Math.max(0, until - (dateMs(headers.get('date') ?? '') ?? wall));
}

/** A plain number, moved by an exponent so that a decimal fraction stays exact. */
function decimal(text: string | null, exponent: string): number | undefined {
  return text && /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text + exponent) : undefined;
}

/** Milliseconds since 1970 of an HTTP date in any of its three forms (RFC 9110, section 5.6.7); undefined where it is none. */
export function dateMs(text: string): number | undefined {
  // Date.parse alone takes almost anything for a date, and one without a zone for local time.
  const found = /^[A-Z][a-z]+,? +(\d\d?[ -]\w{3}[ -]\d+ [\d:]{8}|\w{3} +\d+ [\d:]{8} \d{4})( GMT)?$/.exec(
    text,
  );
  const date = Date.parse(`${found?.[1]?.replaceAll('-', ' ')} GMT`);
  return Number.isNaN(date) ? undefined : date;
}
