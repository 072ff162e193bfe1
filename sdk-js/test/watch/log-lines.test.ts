/** What is logged of each event, at which level, and where it goes. */

import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import type { Event } from '../../src/runtime/watch/events.js';
import { levelOf, line } from '../../src/runtime/watch/log-lines.js';
import { loggerTo } from '../../src/runtime/watch/logger.js';

const CALL = { call: 7, operation: 'corpus.search' };
const BREAKER = { type: 'BreakerChanged', breaker: 'corpus.search at https://api.test' } as const;
const ATTEMPT = { type: 'AttemptFinished', ...CALL, attempt: 2, durationMs: 12.3 } as const;

const LINES: readonly [Event, string, string][] = [
  [{ type: 'CallStarted', ...CALL }, 'debug', 'corpus.search #7: called'],
  [
    { type: 'AttemptStarted', ...CALL, attempt: 2, method: 'GET', url: 'https://api.test/x' },
    'debug',
    'corpus.search #7: attempt 2: GET https://api.test/x',
  ],
  [
    { ...ATTEMPT, status: 503, failure: '', requestId: 'r1' },
    'debug',
    'corpus.search #7: attempt 2: 503 after 12.3 ms [request id r1]',
  ],
  [
    { ...ATTEMPT, status: undefined, failure: 'lost', requestId: '' },
    'debug',
    'corpus.search #7: attempt 2: lost after 12.3 ms',
  ],
  [
    { type: 'RetryScheduled', ...CALL, attempt: 2, delayMs: 1500 },
    'info',
    'corpus.search #7: attempt 2 follows in 1500 ms',
  ],
  [{ type: 'Paced', ...CALL, delayMs: 1500 }, 'info', 'corpus.search #7: waits 1500 ms for the rate limit'],
  [
    { type: 'Hedged', ...CALL, attempt: 2, afterMs: 200 },
    'info',
    'corpus.search #7: attempt 2 is sent beside a slow one after 200 ms',
  ],
  [
    { type: 'CallFinished', ...CALL, attempts: 2, durationMs: 12.3, error: '' },
    'info',
    'corpus.search #7: done after 12.3 ms and 2 attempts',
  ],
  [
    { type: 'CallFinished', ...CALL, attempts: 1, durationMs: 4567.8, error: 'NotFoundError' },
    'info',
    'corpus.search #7: NotFoundError after 4568 ms and 1 attempt',
  ],
  [
    { type: 'EndpointEjected', endpoint: 'https://api.test', forMs: 30_000, reason: '5 failures in a row' },
    'warning',
    'https://api.test is left out for 30 s: 5 failures in a row',
  ],
  [{ type: 'EndpointRestored', endpoint: 'https://api.test' }, 'info', 'https://api.test is called again'],
  [{ ...BREAKER, state: 'open' }, 'warning', 'the breaker of corpus.search at https://api.test is open'],
  [
    { ...BREAKER, state: 'half_open' },
    'info',
    'the breaker of corpus.search at https://api.test is half open',
  ],
];

for (const [event, level, expected] of LINES)
  test(`the line: ${expected}`, () => {
    assert.deepEqual([levelOf(event), line(event)], [level, expected]);
  });

describe('a log', () => {
  /** What was written. */
  const written = (level: string, write: (logger: ReturnType<typeof loggerTo>) => void) => {
    const lines: unknown[][] = [];
    const error = mock.method(console, 'error', (...line: unknown[]) => lines.push(line));
    try {
      write(loggerTo(level, '@sample/client', () => 0));
    } finally {
      error.mock.restore();
    }
    return lines;
  };

  test('begins each line with time, level and name', () => {
    assert.deepEqual(
      written('debug', (logger) => logger.log({ type: 'CallStarted', ...CALL })),
      [['1970-01-01T00:00:00.000Z DEBUG @sample/client: corpus.search #7: called']],
    );
  });

  for (const [level, count] of [
    ['debug', 13],
    ['info', 9],
    ['warning', 2],
    ['error', 0],
    ['off', 0],
    ['', 0],
  ] as const)
    test(`holds ${count} of all lines from the level '${level}' on`, () => {
      const lines = written(level, (logger) => {
        for (const [event] of LINES) if (logger.tells) logger.log(event);
      });
      assert.equal(lines.length, count);
    });

  test('tells of failures, unless it is off', () => {
    const error = new RangeError('mine');
    const report = (logger: ReturnType<typeof loggerTo>) => logger.reportFailure('it failed', error);
    assert.deepEqual(written('', report), [
      ['1970-01-01T00:00:00.000Z ERROR @sample/client: it failed', error],
    ]);
    assert.deepEqual(written('off', report), []);
  });
});
