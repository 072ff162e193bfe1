/** What listeners hear of a call, what a tracer is told, and what neither may do to it. */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { ConnectionFailedError } from '../../src/runtime/errors.js';
import type { Event } from '../../src/runtime/watch/events.js';
import { telemetryOf, type Watchers } from '../../src/runtime/watch/telemetry.js';
import type { Answer, Failure } from '../../src/runtime/wire.js';
import { Clock, settled } from '../clock.js';

const OK: Answer = {
  status: 200,
  headers: new Headers({ 'x-request-id': 'r1' }),
  content: new Uint8Array(),
  attempts: 1,
};
const UNSENT: Failure = { kind: 'connect', cause: new Error('refused') };
const URL = 'https://user:pa55@api.test/base/documents?key=s3cret';

/** One call with a retry and a hedge, told to those who watch. */
function watched(watchers: Watchers, level = ''): void {
  const clock = new Clock();
  const telemetry = telemetryOf(watchers, level, '@sample/client', clock);
  const call = telemetry.watch('documents.get', '/documents');
  call.attemptStarted(1, 'GET', URL);
  clock.pass(10);
  call.attemptFinished(1, UNSENT);
  call.retryScheduled(2, 250);
  call.paced(1000);
  call.attemptStarted(2, 'GET', URL);
  call.hedged(3, 100);
  call.attemptStarted(3, 'GET', URL);
  clock.pass(20);
  call.attemptFinished(2, undefined);
  call.attemptFinished(3, OK);
  call.finished(3, undefined);
}

/** What was written to standard error meanwhile. */
async function errors(work: () => unknown): Promise<unknown[][]> {
  const lines: unknown[][] = [];
  const error = mock.method(console, 'error', (...line: unknown[]) => lines.push(line));
  try {
    await work();
    await settled();
  } finally {
    error.mock.restore();
  }
  return lines;
}

test('listeners hear of a call from its beginning to its end', () => {
  const first: Event[] = [];
  const second: Event[] = [];
  watched({ onEvent: [(event) => first.push(event), (event) => second.push(event)] });
  const [{ call } = { call: 0 }] = first as readonly { readonly call: number }[]; // all events of a call have one
  const common = { call, operation: 'documents.get' };
  const started = {
    type: 'AttemptStarted',
    ...common,
    method: 'GET',
    url: 'https://api.test/base/documents',
  };
  const finished = { type: 'AttemptFinished', ...common };
  assert(call > 0);
  assert.deepEqual(first, [
    { type: 'CallStarted', ...common },
    { ...started, attempt: 1 },
    { ...finished, attempt: 1, durationMs: 10, status: undefined, failure: 'connect', requestId: '' },
    { type: 'RetryScheduled', ...common, attempt: 2, delayMs: 250 },
    { type: 'Paced', ...common, delayMs: 1000 },
    { ...started, attempt: 2 },
    { type: 'Hedged', ...common, attempt: 3, afterMs: 100 },
    { ...started, attempt: 3 },
    { ...finished, attempt: 2, durationMs: 20, status: undefined, failure: 'cancelled', requestId: '' },
    { ...finished, attempt: 3, durationMs: 20, status: 200, failure: '', requestId: 'r1' },
    { type: 'CallFinished', ...common, attempts: 3, durationMs: 30, error: '' },
  ]);
  assert.deepEqual(second, first);
});

test('each call has a number of its own', () => {
  const numbers = new Set<unknown>();
  for (let time = 0; time < 3; time++)
    watched({ onEvent: (event) => numbers.add('call' in event ? event.call : 0) });
  assert.equal(numbers.size, 3);
});

for (const [error, expected] of [
  [new ConnectionFailedError('refused', 'documents.get', 1), 'ConnectionFailedError'],
  [new RangeError('of a body'), 'RangeError'],
  [{ name: 'Cancelled' }, 'Cancelled'], // as a flow that was closed says it
  ['thrown by somebody', 'Error'],
  [null, 'Error'],
] as const)
  test(`a call that ended with ${String(error)} is told as ${expected}`, () => {
    const events: Event[] = [];
    const telemetry = telemetryOf({ onEvent: (event) => events.push(event) }, '', 'x', new Clock());
    telemetry.watch('documents.get', '/documents').finished(1, error);
    const last = events.at(-1);
    assert.equal(last?.type === 'CallFinished' && last.error, expected);
  });

test('what happens to breakers and endpoints is told without a user', () => {
  const events: Event[] = [];
  const telemetry = telemetryOf({ onEvent: (event) => events.push(event) }, '', 'x', new Clock());
  telemetry.breakerChanged('documents.get at https://user:pa55@api.test/base', 'open');
  telemetry.endpointChanged({ type: 'EndpointRestored', endpoint: 'https://user:pa55@api.test' });
  assert.deepEqual(events, [
    { type: 'BreakerChanged', breaker: 'documents.get at https://api.test/base', state: 'open' },
    { type: 'EndpointRestored', endpoint: 'https://api.test' },
  ]);
});

test('a listener that fails is reported and breaks nothing', async () => {
  const heard: Event[] = [];
  const broken = () => {
    throw new RangeError('mine');
  };
  const lines = await errors(() => watched({ onEvent: [broken, (event) => heard.push(event)] }));
  assert.equal(heard.length, 11);
  assert.match(
    String(lines[0]?.[0]),
    /ERROR @sample\/client: a listener failed at CallStarted; the call goes on/,
  );
  assert.match(String(lines[0]?.[1]), /RangeError: mine/);
});

test('an async listener that fails is reported too', async () => {
  const broken = async () => {
    throw new RangeError('mine');
  };
  const lines = await errors(() => watched({ onEvent: broken }));
  assert.equal(lines.length, 11);
});

test('what is no listener is refused', () => {
  const given = { onEvent: 'log' as unknown as () => void };
  assert.throws(() => telemetryOf(given, '', 'x', new Clock()), /onEvent takes a function/);
});

test('the log holds every step and no secret', async () => {
  const lines = await errors(() => watched({}, 'debug'));
  assert.equal(lines.length, 11);
  assert.doesNotMatch(lines.join('\n'), /pa55|s3cret/);
});

function brokenSpan() {
  return {
    get headers(): never {
      throw new RangeError('mine');
    },
    startAttempt: () => brokenSpan(),
    end: () => {
      throw new RangeError('mine');
    },
  };
}

for (const [name, startCall] of Object.entries({
  'a span': () => brokenSpan(),
  'the tracer': () => {
    throw new RangeError('mine');
  },
}))
  test(`${name} that fails is reported and breaks nothing`, async () => {
    const lines = await errors(() => watched({ tracer: { startCall } }));
    assert(lines.length > 0);
    for (const [message] of lines) assert.match(String(message), /the tracer failed; the call goes on/);
  });

test('a tracer is told what listeners are, and says which headers go along', () => {
  const told: unknown[] = [];
  const tracer = {
    startCall: (operation: string, template: string) => {
      told.push([operation, template]);
      return {
        startAttempt: (attempt: number, method: string, url: string) => {
          told.push([attempt, method, url]);
          return {
            headers: [['traceparent', `00-${attempt}`]] as const,
            end: (outcome: unknown) => told.push(outcome),
          };
        },
        end: (attempts: number, error: unknown) => told.push([attempts, error]),
      };
    },
  };
  const call = telemetryOf({ tracer }, '', 'x', new Clock()).watch('documents.get', '/documents/{id}');
  assert.deepEqual(call.attemptStarted(1, 'GET', URL), [['traceparent', '00-1']]);
  call.attemptFinished(1, OK);
  call.finished(1, undefined);
  assert.deepEqual(told, [
    ['documents.get', '/documents/{id}'],
    [1, 'GET', 'https://api.test/base/documents'],
    OK,
    [1, undefined],
  ]);
});
