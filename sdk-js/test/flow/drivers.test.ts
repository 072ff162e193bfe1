/** What carries a flow out: it waits, sends and fetches, and lets the caller leave. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorise } from '../../src/runtime/auth/authorise.js';
import { DeadlineExceededError, TokenError } from '../../src/runtime/errors.js';
import { run } from '../../src/runtime/flow/drivers.js';
import type { Flow } from '../../src/runtime/flow/life.js';
import type { TokenSource } from '../../src/runtime/flow/plan.js';
import { answer, OK, World } from './world.js';

const never = () => new Promise<never>(() => {});
const leaving = (world: World, afterMs: number) => {
  const caller = new AbortController();
  world.clock.timer(afterMs, () => caller.abort(new RangeError('enough')));
  return caller.signal;
};
/** As `fetch` does it. */
const untilAborted = (_: unknown, signal: AbortSignal | undefined) =>
  new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  });

const source = (fetch: () => Promise<string>): TokenSource => ({
  ready: () => undefined,
  refused: () => {},
  authorise,
  fetch,
});

describe('a caller who leaves', () => {
  test('before the call begins sends nothing', async () => {
    const world = new World();
    const done = world.carryOut(world.call(), never, AbortSignal.abort(new RangeError('enough')));
    await assert.rejects(done, /enough/);
    assert.equal(world.sent.length, 0);
  });

  test('gets the signal’s reason, whatever the transport says, and counts for nothing', async () => {
    const world = new World({ breaker: { failures: 1 } });
    const done = world.carryOut(world.call(), untilAborted, leaving(world, 1000));
    await assert.rejects(done, new RangeError('enough'));
    assert.deepEqual(world.told.slice(-2), [
      ['attemptFinished', 1, 'cancelled'],
      ['finished', 1, 'Cancelled'],
    ]);
    assert.deepEqual(await world.run(world.call(), [OK]), OK);
  });

  test('ends a wait', async () => {
    const world = new World();
    const busy = answer(503, { 'retry-after': '30' });
    const done = world.carryOut(world.call(), async () => busy, leaving(world, 1000));
    await assert.rejects(done, /enough/);
    assert.deepEqual([world.clock.pending, world.sent.length], [0, 1]);
  });

  test('leaves what is fetched for others', async () => {
    const world = new World();
    const tokens = source(never);
    const done = world.carryOut(world.call('safe', { tokens }), never, leaving(world, 1000));
    await assert.rejects(done, /enough/);
    assert.equal(world.clock.pending, 0);
  });

  test('makes room in the queue', async () => {
    const world = new World({ pacing: true });
    const full = answer(200, { ratelimit: 'a;r=0;t=10', 'ratelimit-policy': 'a;q=1;w=10' });
    await world.run(world.call(), [full]);
    await assert.rejects(world.carryOut(world.call(), never, leaving(world, 4000)), /enough/);
    assert.equal(world.sent.length, 1);
  });
});

describe('fetching', () => {
  test('may not take longer than is left', async () => {
    const world = new World();
    const call = world.call('safe', { tokens: source(never), timeoutMs: 5000 });
    await assert.rejects(world.carryOut(call, never), DeadlineExceededError);
    assert.deepEqual(world.slept, [5000]);
  });

  test('an error of it is the caller’s', async () => {
    const world = new World();
    const refused = new TokenError('refused');
    const call = world.call('safe', { tokens: source(() => Promise.reject(refused)) });
    await assert.rejects(world.carryOut(call, never), refused);
    assert.deepEqual([world.clock.pending, world.slept], [0, []]);
  });
});

test('a module that cannot be had is gone without', async () => {
  const world = new World();
  const asked: unknown[] = [];
  function* flow(): Flow {
    asked.push(yield { step: 'load', module: () => Promise.reject(new Error('gone')) });
    return OK;
  }
  assert.equal(await run(flow(), { send: async () => OK }, world.clock), OK);
  assert.deepEqual(asked, [undefined]);
});
