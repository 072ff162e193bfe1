/** A clock on which nobody waits. */

import { getActiveResourcesInfo } from 'node:process';
import { setImmediate } from 'node:timers/promises';

/** After as many turns of the event loop in which nothing was read from a disk, nobody can go on without a timer. */
const QUIET_TURNS = 5;

interface Timer {
  readonly at: number;
  readonly then: () => void;
}

/** Jumps to the next timer as soon as nothing else is left to do; timeouts and races run as they do in earnest. */
export class VirtualClock {
  #now = 0;
  #held = 0;
  readonly #timers = new Set<Timer>();

  /** In milliseconds, since the case began. */
  readonly now = (): number => this.#now;

  readonly timer = (afterMs: number, then: () => void): (() => void) => {
    const timer = { at: this.#now + Math.max(0, afterMs), then };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** Rejects with the signal's reason when it fires before; where there is none, `Infinity` waits for ever. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const cancel = delayMs === Infinity ? () => {} : this.timer(delayMs, resolve);
      signal?.addEventListener('abort', () => {
        cancel();
        reject(signal.reason);
      });
    });
  }

  /** Holds the clock until the work is done, which takes an unknown number of turns and no time. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#held++;
    try {
      return await work;
    } finally {
      this.#held--;
    }
  }

  /** Lets time pass for as long as the work takes. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    work.then(done, done);
    for (;;) {
      await this.#quiet();
      if (isDone) return work;
      this.#pass();
    }
  }

  #pass(): void {
    const next = [...this.#timers].reduce<Timer | undefined>(
      (first, timer) => (first && first.at <= timer.at ? first : timer),
      undefined,
    );
    if (!next) throw new Error('everybody waits, and nothing is going to happen');
    this.#timers.delete(next);
    this.#now = next.at;
    next.then();
  }

  async #quiet(): Promise<void> {
    for (let turns = 0; turns < QUIET_TURNS; turns++) {
      await setImmediate();
      const reads = getActiveResourcesInfo().some((name) => /^FSReq|Req$/.test(name));
      if (this.#held || reads) turns = -1;
    }
  }
}
