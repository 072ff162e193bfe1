/**
 * What clients log: a line for each event.
 *
 * | level | what |
 * |---|---|
 * | warning | a breaker opened, an endpoint was ejected |
 * | info | a call ended, is tried again, hedged or held back; a breaker closed, an endpoint is back |
 * | debug | each attempt, with method and address |
 *
 * No line holds a query, a header, a body or a credential, but for the id that the server gave a request.
 */

import type { CallEvent, Event } from './events.js';

/** Of a line; `error` is for what goes wrong in listeners and tracers. */
export type Level = 'debug' | 'info' | 'warning' | 'error';

/** How much an event matters. */
export function levelOf(event: Event): Level {
  switch (event.type) {
    case 'CallStarted':
    case 'AttemptStarted':
    case 'AttemptFinished':
      return 'debug';
    case 'EndpointEjected':
      return 'warning';
    case 'BreakerChanged':
      return event.state === 'open' ? 'warning' : 'info';
    default:
      return 'info';
  }
}

/** An event in one line. */
export function line(event: Event): string {
  switch (event.type) {
    case 'EndpointEjected':
      return `${event.endpoint} is left out for ${Number((event.forMs / 1000).toPrecision(3))} s: ${event.reason}`;
    case 'EndpointRestored':
      return `${event.endpoint} is called again`;
    case 'BreakerChanged':
      return `the breaker of ${event.breaker} is ${event.state.replace('_', ' ')}`;
    default:
      return `${event.operation} #${event.call}: ${ofCall(event)}`;
  }
}

function ofCall(event: CallEvent): string {
  switch (event.type) {
    case 'CallStarted':
      return 'called';
    case 'AttemptStarted':
      return `attempt ${event.attempt}: ${event.method} ${event.url}`;
    case 'AttemptFinished': {
      const named = event.requestId && ` [request id ${event.requestId}]`;
      return `attempt ${event.attempt}: ${event.status ?? event.failure} after ${ms(event.durationMs)}${named}`;
    }
    case 'RetryScheduled':
      return `attempt ${event.attempt} follows in ${ms(event.delayMs)}`;
    case 'Paced':
      return `waits ${ms(event.delayMs)} for the rate limit`;
    case 'Hedged':
      return `attempt ${event.attempt} is sent beside a slow one after ${ms(event.afterMs)}`;
    case 'CallFinished':
      return `${event.error || 'done'} after ${ms(event.durationMs)} and ${event.attempts} attempt${event.attempts === 1 ? '' : 's'}`;
  }
}

/** Milliseconds, with fractions where there are few: `12.3 ms`, `4568 ms`. */
function ms(durationMs: number): string {
  return `${durationMs.toFixed(durationMs < 100 ? 1 : 0)} ms`;
}
