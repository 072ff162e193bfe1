/** The narrow way from the flow to those who watch it: events, spans, or nobody. */

import type { HeaderList, Outcome } from '../wire.js';

/** Is told what happens to one call. */
export interface CallWatch {
  /** Returns headers to send with it, such as `traceparent`. */
  attemptStarted(attempt: number, method: string, url: string): HeaderList;
  /** Undefined where it was given up. */
  attemptFinished(attempt: number, outcome: Outcome | undefined): void;
  retryScheduled(attempt: number, delayMs: number): void;
  paced(delayMs: number): void;
  hedged(attempt: number, afterMs: number): void;
  /** `error` is undefined where the call succeeded, and whatever it ended with otherwise. */
  finished(attempts: number, error: unknown): void;
}

/** Begins to watch a call: its operation's key and path template. */
export type WatchCall = (operation: string, template: string) => CallWatch;

const UNWATCHED: CallWatch = {
  attemptStarted: () => [],
  attemptFinished: () => {},
  retryScheduled: () => {},
  paced: () => {},
  hedged: () => {},
  finished: () => {},
};

/** For clients that nobody watches. */
export const unwatched: WatchCall = () => UNWATCHED;
