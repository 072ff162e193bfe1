/** Time and chance, as a client finds them; tests put their own in their place. */

import { limitsOf } from './transport/limits.js';

export interface Surroundings {
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970, for dates in headers alone. */
  readonly wall: () => number;
  /** From 0 to 1, exclusive. */
  readonly random: () => number;
  /**
   * Calls `then` once after that many milliseconds, unless the function that is returned was called before.
   *
   * `pause` tells a wait of the call itself, as between two attempts, from a limit to something that takes its time.
   */
  readonly timer: (afterMs: number, then: () => void, pause?: boolean) => () => void;
  /** Text that nobody can guess and nobody else has. */
  readonly newToken: () => string;
  /**
   * Tells the developer, once, of something that goes on working.
   *
   * @default by a warning of the process, or on the console
   */
  readonly warn?: (message: string) => void;
  /** Of the process; empty where there is none, as in browsers. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a process of Node.js offers, as far as it is used; other runtimes have none. */
interface Process {
  readonly env?: Record<string, string | undefined>;
}

/** Longer ones fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock, the dice and the warnings of this runtime. */
export const SURROUNDINGS: Surroundings = {
  now: () => performance.now(),
  wall: () => Date.now(),
  random: () => Math.random(),
  timer: (afterMs, then) => {
    const timer = setTimeout(then, Math.min(afterMs, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
  newToken: () => {
    // randomUUID is there in secure contexts alone.
    return crypto.getRandomValues(new Uint32Array(4)).join('-');
  },
  environment: (globalThis as { process?: Process }).process?.env ?? {},
};

/** Waits; rejects with the signal's reason when it fires before. */
export async function sleep(
  surroundings: Surroundings,
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const limits = limitsOf(surroundings, signal);
  let cancel = () => {};
  const over = new Promise<void>((resolve) => {
    cancel = surroundings.timer(delayMs, resolve, true);
  });
  try {
    await limits.within(over);
  } finally {
    cancel();
    limits.release(false);
  }
}
