/**
 * Slowing down before the server has to refuse: what its RateLimit headers leave is counted here.
 *
 * Read are `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) and, from the drafts before them,
 * `RateLimit-Remaining` and `RateLimit-Reset`. Limits are kept apart by operation, as gateways keep them.
 */

import { DeadlineExceededError, type DhatuError } from '../errors/local.js';
import type { Attempts } from '../flow/attempts.js';
import type { Part } from '../flow/life.js';
import type { Call, Policies } from '../flow/plan.js';
import type { CallWatch } from '../watch/watch.js';
import { type Answer, isAnswer, type Outcome } from '../wire.js';
import { retryAfterMs } from './retry-after.js';

/** What the headers of one answer say. */
export interface Reading {
  readonly remaining: number;
  /** Milliseconds until everything is available again. */
  readonly resetMs: number;
  /** Calls in a window; 0 where no policy was named. */
  readonly quota: number;
  readonly windowMs: number;
}

/** How long the calls of each operation have to wait. */
export class Pacer {
  readonly #limits = new Map<string, Limit>();

  /** Takes the next place in the queue; returns the milliseconds to wait for it, 0 where it is free. */
  reserve(operation: string, now: number): number {
    return this.#limits.get(operation)?.reserve(now) ?? 0;
  }

  /** An attempt as soon as its limit leaves room for it; `lastError` is that of the attempt before. */
  *paced(
    attempt: Part<Outcome>,
    { operation: { key }, timeoutMs }: Call,
    { now, wall }: Policies,
    { leftMs, number }: Attempts,
    watch: CallWatch | undefined,
    lastError: DhatuError | undefined,
  ): Part<Outcome> {
    let answer: Answer | undefined;
    const waitMs = this.reserve(key, now());
    try {
      if (waitMs > 0) {
        if (waitMs >= leftMs()) throw lastError ?? noRoom(key, waitMs, timeoutMs, number());
        watch?.paced(waitMs);
        yield { step: 'sleep', delayMs: waitMs };
      }
      const outcome = yield* attempt;
      if (isAnswer(outcome)) answer = outcome;
      return outcome;
    } finally {
      this.release(key, now(), answer?.headers, answer?.status === 429 ? wall() : undefined);
    }
  }

  /** Gives the place back; `headers` are those of the answer, `wall` is the time where it is a 429, which may ask to wait. */
  release(operation: string, now: number, headers: Headers | undefined, wall?: number): void {
    const heldMs = (wall !== undefined && headers && retryAfterMs(headers, wall)) || 0;
    const reading = headers && readHeaders(headers);
    let limit = this.#limits.get(operation);
    if (!limit && (reading || heldMs)) {
      limit = limitOf();
      this.#limits.set(operation, limit);
    }
    limit?.release(now, reading, heldMs);
  }
}

/** What an answer says that was not waited for: the first to tell of a limit, or one that was under way by then. */
export function learn(policies: Policies, operation: string, { status, headers }: Answer): void {
  policies.pacer ??= new Pacer();
  policies.pacer.release(operation, policies.now(), headers, status === 429 ? policies.wall() : undefined);
}

function noRoom(operation: string, waitMs: number, timeoutMs: number, attempts: number): DhatuError {
  return new DeadlineExceededError(
    `not sent, since the rate limit leaves no room for another ${(waitMs / 1000).toFixed(1)} s, more than is left of ${timeoutMs / 1000} s`,
    operation,
    attempts,
  );
}

interface Limit {
  reserve(now: number): number;
  release(now: number, reading: Reading | undefined, heldMs: number): void;
}

/**
 * One limit as the server last described it, and the calls made since.
 *
 * Whether a bucket refills by and by or a window starts anew is not in the headers. But in a bucket that is being
 * emptied the time until it is full grows, and in a window it shrinks; and a refusal from a bucket asks to wait for less
 * than that. Until one of these was seen, the caller waits for the whole of it, which is right for both.
 */
function limitOf(): Limit {
  let latest: Reading | undefined;
  let at = 0;
  /** That may be made now; below 0 where callers wait already. */
  let calls = 0;
  let underWay = 0;
  let heldUntil = 0;
  let gradual = false;

  function refill({ remaining, resetMs, quota, windowMs }: Reading, now: number): void {
    const passedMs = now - at;
    if (gradual) {
      calls = Math.min(calls + (passedMs * quota) / windowMs, remaining + (resetMs * quota) / windowMs);
      at = now;
    } else if (passedMs >= resetMs) {
      // A new window: what is queued comes off it first.
      calls = Math.max(quota, 1) + Math.min(calls, 0);
      latest = { remaining, resetMs: Math.max(windowMs, resetMs), quota, windowMs };
      at = now;
    }
  }

  /** For the last in the queue, -`calls` places behind the next free one. */
  function queueMs({ resetMs, quota, windowMs }: Reading, now: number): number {
    if (gradual) return (-calls * windowMs) / quota;
    return resetMs - (now - at) + (quota && Math.floor((-calls - 1) / quota)) * windowMs;
  }

  return {
    reserve(now) {
      underWay++;
      const heldMs = Math.max(0, heldUntil - now);
      if (!latest) return heldMs;
      refill(latest, now);
      return --calls < 0 ? Math.max(heldMs, queueMs(latest, now)) : heldMs;
    },
    release(now, reading, heldMs) {
      underWay = Math.max(0, underWay - 1);
      if (reading) {
        if (latest && reading.quota && reading.remaining < latest.remaining)
          gradual ||= reading.resetMs > latest.resetMs;
        // Those under way may not be counted by the server yet. To count them twice costs a moment's wait.
        calls = reading.remaining - underWay;
        latest = reading;
        at = now;
      }
      if (!heldMs) return;
      heldUntil = Math.max(heldUntil, now + heldMs);
      // While calls remain it was another limit that refused, such as one of calls at once.
      if (latest?.quota && !latest.remaining && heldMs < latest.resetMs) gradual = true;
    },
  };
}

/** The limit with the fewest calls left; undefined where the headers name none that can be understood. */
export function readHeaders(headers: Headers): Reading | undefined {
  const header = (name: string) => headers.get(`ratelimit${name}`) ?? '';
  const [named, remaining] = [header(''), header('-remaining')];
  if (!named && !remaining) return undefined;
  let states = items(named);
  const drafted = !states.size; // as the drafts before have it
  if (drafted) states = items(`draft;r=${remaining};t=${header('-reset')}`);
  const policies = items(drafted ? '' : header('-policy'));
  const readings: Reading[] = [];
  for (const [name, { r, t }] of states) {
    const { q = 0, w } = policies.get(name) ?? {};
    const reset = t ?? w ?? 0;
    if (r !== undefined && !(drafted && t === undefined))
      readings.push({ remaining: r, resetMs: reset * 1000, quota: q, windowMs: ((w ?? reset) || 1) * 1000 });
  }
  return readings.sort((a, b) => a.remaining - b.remaining || a.resetMs - b.resetMs)[0];
}

/** The items of a structured list (RFC 9651) and those of their parameters that are counts. */
function items(text: string): Map<string, Readonly<Partial<Record<string, number>>>> {
  const found = new Map<string, Partial<Record<string, number>>>();
  for (const item of text.split(',')) {
    const [name, ...parameters] = item.split(';').map((part) => part.trim());
    const counts: Partial<Record<string, number>> = {};
    for (const parameter of parameters) {
      const [, key, count] = /^(\w+)=(\d{1,15})$/.exec(parameter) ?? [];
      if (key) counts[key] = Number(count);
    }
    if (name) found.set(name, counts);
  }
  return found;
}
