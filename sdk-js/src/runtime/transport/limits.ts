/** What ends an attempt before its answer does: the time, and the caller's signal. */

import type { Surroundings } from '../surroundings.js';
import { outOfTime, TransportFailed } from '../wire.js';

/** The limits of one attempt, and later of the body that is read. */
export interface Limits {
  /** Fires when a limit is reached. */
  readonly signal: AbortSignal;
  /** Sets another time from now on, in milliseconds. */
  set(leftMs: number): void;
  /** Sets no time, until the next one is set. */
  clear(): void;
  /** What comes of the promise; rejects with `TransportFailed` when the time ends before, or with the signal's reason. */
  within<T>(promise: Promise<T>): Promise<T>;
  /** Lets go of timer and signal; `abort` gives up what is still under way. */
  release(abort: boolean): void;
}

export function limitsOf({ timer }: Surroundings, given: AbortSignal | undefined): Limits {
  const controller = new AbortController();
  let clear = () => {};
  let end: (reason: unknown) => void = () => {};
  // Not every fetch that a caller may pass heeds the signal, so that nothing waits for it.
  const over = new Promise<never>((_, reject) => {
    end = (reason) => {
      reject(reason);
      controller.abort(reason);
    };
  });
  over.catch(() => {});
  const leave = () => end(given?.reason);
  if (given?.aborted) leave();
  given?.addEventListener('abort', leave);
  return {
    signal: controller.signal,
    set(leftMs) {
      clear();
      clear = timer(leftMs, () => end(new TransportFailed(outOfTime())));
    },
    clear: () => clear(),
    within: (promise) => Promise.race([over, promise]),
    release(abort) {
      clear();
      given?.removeEventListener('abort', leave);
      if (abort) controller.abort();
    },
  };
}
