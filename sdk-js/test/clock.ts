/** Time that passes only when a test says so, and chance that is the same every time. */

import { setImmediate } from 'node:timers/promises';
import type { Surroundings } from '../src/runtime/surroundings.js';
import './loaded.js';

interface Timer {
  readonly due: number;
  readonly delayMs: number;
  readonly then: () => void;
}

/** Surroundings of a client under test. */
export class Clock implements Surroundings {
  /** Delays of the timers that fired, in order. */
  readonly waited: number[] = [];
  readonly warnings: string[] = [];
  readonly environment: Record<string, string | undefined> = {};
  readonly random: () => number;
  readonly #timers = new Set<Timer>();
  #now = 1_000_000;
  #tokens = 0;

  /** `random` may be one number, drawn every time. */
  constructor(random: number | (() => number) = seeded(7)) {
    this.random = typeof random === 'number' ? () => random : random;
  }

  readonly now = () => this.#now;
  readonly wall = () => 1_700_000_000_000 - 1_000_000 + this.#now;
  readonly newToken = () => `token-${++this.#tokens}`;
  readonly warn = (message: string) => {
    this.warnings.push(message);
  };

  readonly timer = (afterMs: number, then: () => void) => {
    const timer = { due: this.#now + afterMs, delayMs: afterMs, then };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  };

  /** Of the timers that were not stopped. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time go by at once, as hard work does: timers that fall due fire with the next `advance`. */
  pass(ms: number): void {
    this.#now += ms;
  }

  /** Lets time go by: timers fire in order, and what each sets off happens before the next. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (let next = this.#next(); next && next.due <= until; next = this.#next()) {
      this.#fire(next);
      await settled();
    }
    this.#now = Math.max(this.#now, until);
  }

  /** What a promise comes to, while time goes by from timer to timer; rejects where nothing is left to wait for. */
  async finish<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const end = () => {
      over = true;
    };
    promise.then(end, end);
    for (let idle = 0; !over; ) {
      await settled();
      const next = over ? undefined : this.#next();
      if (next) this.#fire(next);
      // Work beside timers may be long, but is not endless: a module that is loaded, a test that lets things settle.
      idle = next ? 0 : idle + 1;
      if (idle > 20 && !over) throw new Error('the promise waits for something that is no timer');
    }
    return promise;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) if (!first || timer.due < first.due) first = timer;
    return first;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.due);
    this.waited.push(timer.delayMs);
    timer.then();
  }
}

/** Resolves when everything has happened that waits for no timer. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}

/** Numbers from 0 to 1, exclusive: the same ones for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
