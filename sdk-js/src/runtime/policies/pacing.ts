/**
 * Slowing down before the server has to refuse: what its RateLimit headers leave is counted here.
 *
 * Read are `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) and, from the drafts before them,
 * `RateLimit-Remaining` and `RateLimit-Reset`. Limits are kept apart by operation, as gateways keep them.
 */

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

  /** Gives the place back; `headers` are those of the answer, `heldMs` is what a 429 asked to wait. */
  release(operation: string, now: number, headers: Headers | undefined, heldMs = 0): void {
    const reading = headers && readHeaders(headers);
    let limit = this.#limits.get(operation);
    if (!limit) {
      if (!reading && !heldMs) return;
      limit = new Limit();
      this.#limits.set(operation, limit);
    }
    limit.release(now, reading, heldMs);
  }
}

/**
 * One limit as the server last described it, and the calls made since.
 *
 * Whether a bucket refills by and by or a window starts anew is not in the headers. But in a bucket that is being
 * emptied the time until it is full grows, and in a window it shrinks; and a refusal from a bucket asks to wait for less
 * than that. Until one of these was seen, the caller waits for the whole of it, which is right for both.
 */
class Limit {
  #underWay = 0;
  #heldUntil = 0;
  #latest: Reading | undefined;
  #at = 0;
  /** That may be made now; below 0 where callers wait already. */
  #calls = 0;
  #gradual = false;

  release(now: number, reading: Reading | undefined, heldMs: number): void {
    this.#underWay = Math.max(0, this.#underWay - 1);
    if (reading) {
      const before = this.#latest;
      if (before && reading.quota && reading.remaining < before.remaining)
        this.#gradual ||= reading.resetMs > before.resetMs;
      // Those under way may not be counted by the server yet. To count them twice costs a moment's wait.
      this.#calls = reading.remaining - this.#underWay;
      this.#latest = reading;
      this.#at = now;
    }
    if (heldMs) {
      this.#heldUntil = Math.max(this.#heldUntil, now + heldMs);
      if (this.#latest?.quota && heldMs < this.#latest.resetMs) this.#gradual = true;
    }
  }

  reserve(now: number): number {
    this.#underWay++;
    const heldMs = Math.max(0, this.#heldUntil - now);
    const latest = this.#latest;
    if (!latest) return heldMs;
    this.#refill(latest, now);
    return --this.#calls >= 0 ? heldMs : Math.max(heldMs, this.#queueMs(this.#latest ?? latest, now));
  }

  #refill(latest: Reading, now: number): void {
    const { remaining, resetMs, quota, windowMs } = latest;
    const passedMs = now - this.#at;
    if (this.#gradual) {
      const full = remaining + (resetMs * quota) / windowMs;
      this.#calls = Math.min(this.#calls + (passedMs * quota) / windowMs, full);
      this.#at = now;
    } else if (passedMs >= resetMs) {
      // A new window: what is queued comes off it first.
      this.#calls = Math.max(quota, 1) + Math.min(this.#calls, 0);
      this.#latest = { ...latest, resetMs: Math.max(windowMs, resetMs) };
      this.#at = now;
    }
  }

  /** For the last in the queue, -`calls` places behind the next free one. */
  #queueMs({ resetMs, quota, windowMs }: Reading, now: number): number {
    if (this.#gradual) return (-this.#calls * windowMs) / quota;
    const windows = quota && Math.floor((-this.#calls - 1) / quota);
    return resetMs - (now - this.#at) + windows * windowMs;
  }
}

/** The limit with the fewest calls left; undefined where the headers name none that can be understood. */
export function readHeaders(headers: Headers): Reading | undefined {
  const header = (name: string) => headers.get(`ratelimit${name}`) ?? '';
  const states = items(header(''));
  if (!states.size) {
    const [remaining, reset] = [header('-remaining'), header('-reset')];
    if (isCount(remaining) && isCount(reset)) states.set('', { r: Number(remaining), t: Number(reset) });
  }
  const policies = items(header('-policy'));
  const readings: Reading[] = [];
  for (const [name, { r, t }] of states) {
    const { q = 0, w } = policies.get(name) ?? {};
    const reset = t ?? w ?? 0;
    if (r !== undefined)
      readings.push({ remaining: r, resetMs: reset * 1000, quota: q, windowMs: ((w ?? reset) || 1) * 1000 });
  }
  return readings.sort((a, b) => a.remaining - b.remaining || a.resetMs - b.resetMs)[0];
}

/** The items of a structured list (RFC 9651) and those of their parameters that are counts. */
function items(text: string): Map<string, Readonly<Partial<Record<string, number>>>> {
  const found = new Map<string, Partial<Record<string, number>>>();
  for (const item of text.split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim());
    const counts: Partial<Record<string, number>> = {};
    for (const parameter of parameters) {
      const [key = '', value = ''] = parameter.split('=');
      if (isCount(value)) counts[key] = Number(value);
    }
    if (name) found.set(name, counts);
  }
  return found;
}

function isCount(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}
