/** The narrow way from the flow to those who watch it: events, spans, or nobody. */

import type { HeaderList, Outcome } from '../wire.js';
import type { Event } from './events.js';

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

/** One attempt, traced. */
export interface AttemptSpan {
  /** What carries the trace to the server (W3C Trace Context). */
  readonly headers: HeaderList;
  /** Undefined where it was given up. */
  end(outcome: Outcome | undefined): void;
}

/** One call, traced. */
export interface CallSpan {
  startAttempt(attempt: number, method: string, url: string): AttemptSpan;
  end(attempts: number, error: unknown): void;
}

/** Makes a span of each call. */
export interface Tracer {
  /** `template` is the path before its parameters are filled in. */
  startCall(operation: string, template: string): CallSpan;
}

/** Is called with what happens to the calls of a client, one event at a time. */
export type Listener = (event: Event) => unknown;

/** Begins to watch a call: its operation's key and path template. */
export type WatchCall = (operation: string, template: string) => CallWatch;
