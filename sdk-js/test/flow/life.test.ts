/** The life of a call: what is sent, how long is waited, and what it is rejected with. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RetryClass } from '../../src/runtime/call.js';
import { bodyOf } from '../../src/runtime/encoding/content.js';
import {
  APIStatusError,
  BreakerOpenError,
  CallTimeoutError,
  ConnectionFailedError,
  ConnectionLostError,
  ConnectTimeoutError,
  DeadlineExceededError,
  RateLimitedError,
  ServerError,
  TokenError,
} from '../../src/runtime/errors.js';
import { callFlow } from '../../src/runtime/flow/life.js';
import { withHeaders } from '../../src/runtime/flow/plan.js';
import type { BreakerPolicy } from '../../src/runtime/policies/breaker.js';
import type { Outcome } from '../../src/runtime/wire.js';
import { seeded } from '../clock.js';
import {
  answer,
  CONNECT_TIMEOUT,
  headersOf,
  LOST,
  OK,
  POOL_TIMEOUT,
  TIMEOUT,
  UNSENT,
  World,
} from './world.js';

/** The error that a promise is rejected with, which has to be of that class. */
async function rejection<T extends Error>(
  promise: Promise<unknown>,
  kind: abstract new (...given: never[]) => T,
): Promise<T> {
  const error: unknown = await promise.then(
    () => assert.fail('it was not rejected'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof kind, String(error));
  return error;
}

const FIRST_DRAW = seeded(7)() * 500;

test('a success is returned at once', async () => {
  const world = new World();
  assert.deepEqual(await world.run(world.call(), [OK]), OK);
  assert.deepEqual([world.sent.length, world.slept], [1, []]);
});

test('waits grow and are drawn from the whole window', async () => {
  const world = new World({ maxRetries: 6 });
  const outcomes = [...Array<Outcome>(6).fill(answer(503)), OK];
  await world.run(world.call('safe', { timeoutMs: 1_000_000 }), outcomes);
  const draw = seeded(7);
  assert.deepEqual(
    world.slept,
    [500, 1000, 2000, 4000, 8000, 8000].map((window) => draw() * window),
  );
});

test('retries end, and the last error is what it is rejected with', async () => {
  const world = new World();
  const error = await rejection(
    world.run(world.call(), [answer(503), answer(502), answer(504), OK]),
    ServerError,
  );
  assert.deepEqual([error.status, error.attempts, world.sent.length], [504, 3, 3]);
  assert.match(error.message, /after 3 attempts/);
});

describe('what is tried again', () => {
  const cases: readonly (readonly [string, Outcome, string])[] = [
    ...[408, 429, 502, 503, 504].map(
      (status) => [`${status}`, answer(status), 'safe idempotent keyed'] as const,
    ),
    ['500', answer(500), 'safe'],
    ...[501, 400, 404, 409, 302].map((status) => [`${status}`, answer(status), ''] as const),
    ['lost', LOST, 'safe idempotent keyed'],
    ['timeout', TIMEOUT, 'safe idempotent keyed'],
    ['connect', UNSENT, 'safe idempotent keyed never'],
    ['connect_timeout', CONNECT_TIMEOUT, 'safe idempotent keyed never'],
    ['pool_timeout', POOL_TIMEOUT, 'safe idempotent keyed never'],
  ];
  const classes: readonly RetryClass[] = ['safe', 'idempotent', 'keyed', 'never'];
  for (const [name, outcome, repeated] of cases)
    for (const retry of classes)
      test(`${name}, ${retry}`, async () => {
        const world = new World();
        const done = world.run(world.call(retry), [outcome, OK]);
        if (repeated.split(' ').includes(retry)) assert.deepEqual(await done, { ...OK, attempts: 2 });
        else await assert.rejects(done);
        assert.equal(world.sent.length, repeated.split(' ').includes(retry) ? 2 : 1);
      });
});

test('no retries means none', async () => {
  const world = new World({ maxRetries: 0 });
  await rejection(world.run(world.call(), [answer(503), OK]), ServerError);
  assert.equal(world.sent.length, 1);
});

describe('Retry-After', () => {
  const waits = async (headers: Record<string, string>) => {
    const world = new World();
    await world.run(world.call(), [answer(503, headers), OK]);
    return world.slept;
  };

  test('it is waited in full', async () => assert.deepEqual(await waits({ 'retry-after': '7' }), [7000]));

  test('it never shortens the wait', async () =>
    assert.deepEqual(await waits({ 'retry-after': '0' }), [FIRST_DRAW]));

  test('a date is read by our clock where the server names none', async () =>
    assert.deepEqual(await waits({ 'retry-after': 'Tue, 14 Nov 2023 22:13:30 GMT' }), [10_000]));

  test('what cannot be read is as if it were absent', async () =>
    assert.deepEqual(await waits({ 'retry-after': 'soon' }), [FIRST_DRAW]));

  for (const headers of [{ 'retry-after': '61' }, { 'retry-after-ms': '61000' }])
    test(`a wait beyond the cap is left to the caller: ${Object.keys(headers)}`, async () => {
      const world = new World();
      const error = await rejection(
        world.run(world.call('safe', { timeoutMs: 600_000 }), [answer(429, headers), OK]),
        RateLimitedError,
      );
      assert.match(error.message, /Retry-After: 61 s/);
      assert.deepEqual([error.retryAfterMs, world.slept], [61_000, []]);
    });
});

describe('times', () => {
  test('no wait goes beyond the deadline', async () => {
    const world = new World();
    const outcomes = [answer(429, { 'retry-after': '6' }), OK];
    await rejection(world.run(world.call('safe', { timeoutMs: 10_000 }), outcomes, 5000), RateLimitedError);
    assert.deepEqual(world.slept, []);
  });

  test('each attempt gets what is left, and tells it', async () => {
    const world = new World();
    const outcomes = [answer(429, { 'retry-after': '4' }), OK];
    await world.run(world.call('safe', { timeoutMs: 10_000 }), outcomes, 1000);
    assert.deepEqual(
      world.sent.map((send) => [send.timeLeftMs, headersOf(send)]),
      [
        [10_000, { traceparent: 'made up', 'x-d-attempt': '1', 'x-d-timeout-ms': '10000' }],
        [5000, { traceparent: 'made up', 'x-d-attempt': '2', 'x-d-timeout-ms': '5000' }],
      ],
    );
  });

  test('an API without a prefix is told nothing', async () => {
    const world = new World();
    await world.run(world.call('safe', { prefix: '' }), [OK]);
    assert.deepEqual(headersOf(world.sent[0]), { traceparent: 'made up' });
  });

  test('a trace that the caller sends along is the one that counts', async () => {
    const world = new World();
    const call = world.call('safe', { prefix: '' });
    const request = { ...call.request, headers: [['traceparent', 'mine']] as const };
    await world.run({ ...call, request }, [OK]);
    assert.deepEqual(world.sent[0]?.headers, []);
  });

  test('an answer that is read as it arrives is given no time for all of it', async () => {
    const world = new World();
    const call = world.call();
    await world.run({ ...call, request: { ...call.request, openEnded: true } }, [OK]);
    assert.equal('x-d-timeout-ms' in headersOf(world.sent[0]), false);
  });

  test('an attempt gets no more than its own, nor than is left of the whole', async () => {
    for (const [timeoutMs, second] of [
      [10_000, (leftMs: number) => leftMs === 4000],
      [6000, (leftMs: number) => leftMs < 2000],
    ] as const) {
      const world = new World();
      const call = world.call('safe', { timeoutMs, attemptTimeoutMs: 4000 });
      await world.run(call, [TIMEOUT, OK], 4000);
      assert.equal(world.sent[0]?.timeLeftMs, 4000);
      assert.ok(second(world.sent[1]?.timeLeftMs ?? 0));
      assert.ok(Number(headersOf(world.sent[0])['x-d-timeout-ms']) === timeoutMs);
    }
  });

  test('a slow attempt is told from a deadline', async () => {
    const world = new World({ maxRetries: 0 });
    const slow = world.call('safe', { timeoutMs: 10_000, attemptTimeoutMs: 4000 });
    const late = await rejection(world.run(slow, [TIMEOUT], 4000), CallTimeoutError);
    assert.match(late.message, /within 4 s/);
    assert.equal(late instanceof DeadlineExceededError, false);
    const whole = world.call('safe', { timeoutMs: 10_000 });
    const over = await rejection(world.run(whole, [TIMEOUT], 10_000), DeadlineExceededError);
    assert.match(over.message, /within 10 s/);
  });
});

test('headers that are added to a call replace those of the same name', async () => {
  const world = new World();
  const call = withHeaders(world.call(), [['last-event-id', '1']]);
  await world.run(withHeaders(call, [['last-event-id', '2']]), [OK]);
  assert.deepEqual(world.sent[0]?.request.headers, [['last-event-id', '2']]);
});

describe('bodies', () => {
  const once = () => bodyOf([new Uint8Array([1])].values());

  test('one that ran dry is not sent again', async () => {
    const world = new World();
    await rejection(world.run(world.call('safe', { body: once() }), [LOST, OK]), ConnectionLostError);
    assert.equal(world.sent.length, 1);
  });

  for (const [name, body] of [
    ['bytes', bodyOf('twice')],
    ['a list', bodyOf([new Uint8Array([1])])],
  ] as const)
    test(`${name} is`, async () => {
      const world = new World();
      assert.equal((await world.run(world.call('safe', { body }), [LOST, OK])).attempts, 2);
    });

  test('what the body itself throws is what the call is rejected with, and counts for nothing', async () => {
    const world = new World({ breaker: { failures: 1 } });
    const broken = new RangeError('the source broke');
    await assert.rejects(
      world.carryOut(world.call(), () => Promise.reject(broken)),
      broken,
    );
    assert.deepEqual(world.toldOf('attemptFinished'), [['attemptFinished', 1, 'cancelled']]);
    assert.deepEqual(world.toldOf('finished'), [['finished', 1, 'RangeError']]);
    assert.deepEqual(await world.run(world.call(), [OK]), OK);
  });
});

describe('a failure becomes an error with its cause', () => {
  for (const [failure, kind] of [
    [UNSENT, ConnectionFailedError],
    [LOST, ConnectionLostError],
    [TIMEOUT, DeadlineExceededError],
    [CONNECT_TIMEOUT, ConnectTimeoutError],
    [POOL_TIMEOUT, ConnectTimeoutError],
  ] as const)
    test(failure.kind, async () => {
      const world = new World({ maxRetries: 0 });
      const error = await rejection(world.run(world.call(), [failure]), kind);
      assert.equal(error.constructor, kind);
      assert.match(error.message, /^documents\.get: /);
      assert.deepEqual([error.cause, error.attempts], [failure.cause, 1]);
    });

  test('a cause that is an error of this package speaks for itself', async () => {
    const world = new World({ maxRetries: 0 });
    const cause = new TokenError('refused');
    assert.equal(await rejection(world.run(world.call(), [{ kind: 'lost', cause }]), TokenError), cause);
  });
});

describe('the breaker', () => {
  const POLICY: BreakerPolicy = { failures: 3, openMs: 5000, halfOpenCalls: 1 };
  const world = () => new World({ maxRetries: 0, breaker: POLICY });
  const fail = async (of: World, ...outcomes: Outcome[]) => {
    for (const outcome of outcomes) await assert.rejects(of.run(of.call(), [outcome]));
  };

  test('failures in a row open it, and nothing is sent', async () => {
    const it = world();
    await fail(it, answer(503), LOST, TIMEOUT);
    const error = await rejection(it.run(it.call(), [OK]), BreakerOpenError);
    assert.deepEqual([it.sent.length, error.retryAfterMs], [3, 5000]);
  });

  for (const [name, outcome] of [
    ['404', answer(404)],
    ['429', answer(429)],
    ['no connection free', POOL_TIMEOUT],
  ] as const)
    test(`the caller's own failures do not count: ${name}`, async () => {
      const it = world();
      await fail(it, ...Array<Outcome>(5).fill(outcome));
      assert.deepEqual(await it.run(it.call(), [OK]), OK);
    });

  test('after a while one trial decides', async () => {
    const it = world();
    await fail(it, LOST, LOST, LOST);
    it.clock.pass(5000);
    await fail(it, LOST);
    await rejection(it.run(it.call(), [OK]), BreakerOpenError);
    it.clock.pass(5000);
    await it.run(it.call(), [OK]);
    await it.run(it.call(), [OK]);
  });

  test('while the trial is under way others are refused, and one that is given up makes room', async () => {
    const it = world();
    await fail(it, LOST, LOST, LOST);
    it.clock.pass(5000);
    const trial = callFlow(it.call(), it.policies);
    trial.next();
    await rejection(it.run(it.call(), [OK]), BreakerOpenError);
    trial.return(OK);
    assert.deepEqual(await it.run(it.call(), [OK]), OK);
  });

  test('calls that are given up do not count', async () => {
    const it = world();
    for (let call = 0; call < 5; call++) {
      const flow = callFlow(it.call(), it.policies);
      flow.next();
      flow.return(OK);
    }
    assert.deepEqual(await it.run(it.call(), [OK]), OK);
  });

  test('an answer from before it opened does not close it', async () => {
    const it = world();
    const early = callFlow(it.call(), it.policies);
    early.next();
    await fail(it, LOST, LOST, LOST);
    assert.equal(early.next(OK).done, true);
    await rejection(it.run(it.call(), [OK]), BreakerOpenError);
  });

  test('a call whose retries open it is rejected with its own error', async () => {
    const it = new World({ maxRetries: 5, breaker: POLICY });
    const error = await rejection(it.run(it.call(), [LOST, LOST, LOST]), ConnectionLostError);
    assert.equal(error.attempts, 3);
  });
});

describe('what is told', () => {
  test('the whole life', async () => {
    const world = new World({ breaker: { failures: 1, openMs: 1 } });
    await world.run(world.call(), [LOST, OK], 500);
    const both = (state: string) => [
      ['breakerChanged', 'https://api.test', state],
      ['breakerChanged', 'documents.get at https://api.test', state],
    ];
    assert.deepEqual(world.told, [
      ['callStarted', 'documents.get'],
      ['attemptStarted', 1, 'GET', 'https://api.test/things?key=secret'],
      ...both('open'),
      ['attemptFinished', 1, 'lost'],
      ['retryScheduled', 2, FIRST_DRAW],
      ...both('half_open'),
      ['attemptStarted', 2, 'GET', 'https://api.test/things?key=secret'],
      ['attemptFinished', 2, 200],
      ['finished', 2, undefined],
    ]);
  });

  test('a call that was given up is told as such', () => {
    const world = new World();
    const flow = callFlow(world.call(), world.policies);
    flow.next();
    flow.return(OK);
    assert.deepEqual(world.told.slice(2), [
      ['attemptFinished', 1, 'cancelled'],
      ['finished', 1, 'Cancelled'],
    ]);
  });

  test('an error is told by its class', async () => {
    const world = new World({ maxRetries: 0 });
    await rejection(world.run(world.call(), [answer(503)]), APIStatusError);
    assert.deepEqual(world.toldOf('finished'), [['finished', 1, 'ServerError']]);
  });
});
