/** Watching calls: an event for each listener, a span for the tracer. Loaded where somebody watches. */

import { ConfigurationError } from '../errors/local.js';
import type { Surroundings } from '../surroundings.js';
import { type HeaderList, isAnswer, type Outcome, withoutUser } from '../wire.js';
import {
  type AttemptFinished,
  type BreakerChanged,
  type CallEvent,
  type EndpointEjected,
  type EndpointRestored,
  type Event,
  errorName,
} from './events.js';
import { type Logger, loggerTo } from './logger.js';
import type { AttemptSpan, CallSpan, CallWatch, Listener, Tracer, WatchCall } from './watch.js';

/** Who watches a client. */
export interface Watchers {
  readonly onEvent?: Listener | readonly Listener[] | undefined;
  readonly tracer?: Tracer | undefined;
}

/** What an engine tells those who watch. */
export interface Telemetry {
  readonly watch: WatchCall;
  readonly breakerChanged: (name: string, state: BreakerChanged['state']) => void;
  readonly endpointChanged: (event: EndpointEjected | EndpointRestored) => void;
}

let calls = 0;

/**
 * The listeners and the tracer of a client, and its log from `level` on, each line of which `name` begins.
 *
 * What these throw is logged and goes no further: who only watches must not break a call.
 */
export function telemetryOf(
  { onEvent = [], tracer }: Watchers,
  level: string,
  name: string,
  { now, wall }: Pick<Surroundings, 'now' | 'wall'>,
): Telemetry {
  const logger = loggerTo(level, name, wall);
  const listeners = [onEvent].flat();
  if (!listeners.every((listener) => typeof listener === 'function'))
    throw new ConfigurationError('onEvent takes a function, or several');
  const tell = (event: Event) => {
    for (const listener of listeners)
      unharmed(() => listener(event), `a listener failed at ${event.type}`, logger);
    if (logger.tells) logger.log(event);
  };
  const trace = <T>(work: () => T) => unharmed(work, 'the tracer failed', logger);
  return {
    watch: (operation, template) =>
      new WatchedCall(
        operation,
        tell,
        trace,
        now,
        tracer && trace(() => tracer.startCall(operation, template)),
      ),
    breakerChanged: (breaker, state) =>
      tell({ type: 'BreakerChanged', breaker: withoutUser(breaker), state }),
    endpointChanged: (event) => tell({ ...event, endpoint: withoutUser(event.endpoint) }),
  };
}

/** Adds what all events of a call have to one of them. */
type Told<E extends CallEvent = CallEvent> = E extends CallEvent ? Omit<E, 'call' | 'operation'> : never;

/** One call, watched. */
class WatchedCall implements CallWatch {
  readonly #tell: (event: Told) => void;
  readonly #trace: <T>(work: () => T) => T | undefined;
  readonly #now: () => number;
  readonly #span: CallSpan | undefined;
  readonly #began: number;
  readonly #attempts = new Map<number, { began: number; span: AttemptSpan | undefined }>();

  constructor(
    operation: string,
    tell: (event: Event) => void,
    trace: <T>(work: () => T) => T | undefined,
    now: () => number,
    span: CallSpan | undefined,
  ) {
    const call = ++calls;
    this.#tell = ({ type, ...rest }) => tell({ type, call, operation, ...rest } as CallEvent); // put together again
    this.#trace = trace;
    this.#now = now;
    this.#span = span;
    this.#began = now();
    this.#tell({ type: 'CallStarted' });
  }

  attemptStarted(attempt: number, method: string, url: string): HeaderList {
    const shown = withoutUser(url).replace(/[?#].*/s, '');
    const span = this.#span && this.#trace(() => this.#span?.startAttempt(attempt, method, shown));
    this.#attempts.set(attempt, { began: this.#now(), span });
    this.#tell({ type: 'AttemptStarted', attempt, method, url: shown });
    return (span && this.#trace(() => span.headers)) ?? [];
  }

  attemptFinished(attempt: number, outcome: Outcome | undefined): void {
    const { began, span } = this.#attempts.get(attempt) ?? { began: this.#began };
    this.#attempts.delete(attempt);
    if (span) this.#trace(() => span.end(outcome));
    const answer = isAnswer(outcome) ? outcome : undefined;
    this.#tell({
      type: 'AttemptFinished',
      attempt,
      durationMs: this.#now() - began,
      status: answer?.status,
      failure: failureOf(outcome),
      requestId: answer?.headers.get('x-request-id') ?? '',
    });
  }

  retryScheduled(attempt: number, delayMs: number): void {
    this.#tell({ type: 'RetryScheduled', attempt, delayMs });
  }

  paced(delayMs: number): void {
    this.#tell({ type: 'Paced', delayMs });
  }

  hedged(attempt: number, afterMs: number): void {
    this.#tell({ type: 'Hedged', attempt, afterMs });
  }

  finished(attempts: number, error: unknown): void {
    this.#trace(() => this.#span?.end(attempts, error));
    this.#tell({
      type: 'CallFinished',
      attempts,
      durationMs: this.#now() - this.#began,
      error: error === undefined ? '' : errorName(error),
    });
  }
}

/** What the work returns; undefined where it fails. */
function unharmed<T>(work: () => T, what: string, logger: Logger): T | undefined {
  const report = (error: unknown) => logger.reportFailure(`${what}; the call goes on`, error);
  try {
    const result = work();
    // Nobody waits for an async listener, but what it throws would end a process.
    if (result instanceof Promise) result.catch(report);
    return result;
  } catch (error) {
    report(error);
    return undefined;
  }
}

function failureOf(outcome: Outcome | undefined): AttemptFinished['failure'] {
  if (!outcome) return 'cancelled';
  return isAnswer(outcome) ? '' : outcome.kind;
}
