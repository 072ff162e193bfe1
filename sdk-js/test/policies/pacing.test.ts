/** A client that listens to the rate limit is not refused. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DeadlineExceededError, RateLimitedError } from '../../src/runtime/errors.js';
import { Pacer, readHeaders } from '../../src/runtime/policies/pacing.js';
import type { Outcome } from '../../src/runtime/wire.js';
import type { Clock } from '../clock.js';
import { answer, OK, World } from '../flow/world.js';

interface Server {
  refused: number;
  answer(): Outcome;
}

/** A server with a token bucket, which describes it as a gateway would. */
function bucket(clock: Clock, limit: number, windowS: number, burst: number): Server {
  const rate = limit / windowS;
  let [tokens, at] = [burst, clock.now()];
  return {
    refused: 0,
    answer() {
      tokens = Math.min(burst, tokens + ((clock.now() - at) / 1000) * rate);
      at = clock.now();
      const allowed = tokens >= 1 - 1e-9;
      if (allowed) tokens--;
      else this.refused++;
      const fullS = Math.ceil((burst - tokens) / rate - 1e-9);
      return answer(allowed ? 200 : 429, {
        'ratelimit-policy': `"default";q=${limit};w=${windowS}`,
        ratelimit: `"default";r=${Math.floor(tokens + 1e-9)};t=${fullS}`,
      });
    },
  };
}

/** A server with a fixed window. */
function fixed(clock: Clock, limit: number, windowS: number, drafted = false): Server & { used: number } {
  let began = clock.now();
  return {
    refused: 0,
    used: 0,
    answer() {
      const passed = Math.floor((clock.now() - began) / (windowS * 1000));
      if (passed) {
        began += passed * windowS * 1000;
        this.used = 0;
      }
      const allowed = this.used < limit;
      if (allowed) this.used++;
      else this.refused++;
      const left = limit - this.used;
      const resetS = Math.ceil((began - clock.now()) / 1000 + windowS);
      return answer(
        allowed ? 200 : 429,
        drafted
          ? { 'ratelimit-remaining': `${left}`, 'ratelimit-reset': `${resetS}` }
          : {
              'ratelimit-policy': `"burst";q=${limit};w=${windowS}`,
              ratelimit: `"burst";r=${left};t=${resetS}`,
            },
      );
    },
  };
}

/** Calls one after the other; returns the seconds they took. */
async function loop(world: World, server: Server, calls: number): Promise<number> {
  const began = world.clock.now();
  for (let call = 0; call < calls; call++)
    await world.carryOut(world.call('safe', { timeoutMs: 120_000 }), async () => {
      world.clock.pass(10);
      return server.answer();
    });
  return (world.clock.now() - began) / 1000;
}

test('a loop against a bucket sees no refusal and keeps its rate', async () => {
  const world = new World({ pacing: true });
  const server = bucket(world.clock, 60, 60, 10);
  const tookS = await loop(world, server, 100);
  assert.equal(server.refused, 0);
  assert.ok(tookS >= 90 && tookS <= 110, `${tookS}`);
  assert.ok(Math.max(...world.toldOf('paced').map(([, ms]) => Number(ms))) <= 2500);
});

for (const drafted of [false, true])
  test(`a loop against a window sees no refusal${drafted ? ', as the earlier drafts describe it' : ''}`, async () => {
    const world = new World({ pacing: true });
    const server = fixed(world.clock, 5, 10, drafted);
    const tookS = await loop(world, server, 30);
    assert.equal(server.refused, 0);
    assert.ok(tookS >= 50 && tookS <= 72, `${tookS}`);
  });

test('without pacing the same loop is refused', async () => {
  const world = new World();
  const server = bucket(world.clock, 60, 60, 10);
  await assert.rejects(loop(world, server, 30), RateLimitedError);
  assert.ok(server.refused > 0);
});

test('a wait beyond the deadline is refused here', async () => {
  const world = new World({ pacing: true });
  const server = fixed(world.clock, 1, 60);
  await loop(world, server, 1);
  const done = world.carryOut(world.call('safe', { timeoutMs: 5000 }), async () => server.answer());
  await assert.rejects(done, (error) => {
    assert.ok(error instanceof DeadlineExceededError);
    assert.match(error.message, /the rate limit leaves no room for another 60\.0 s, .* 5 s/);
    return error.attempts === 0;
  });
  assert.deepEqual([server.used, world.slept], [1, []]);
});

test('a refusal holds the other calls of the operation too', async () => {
  const world = new World({ pacing: true, maxRetries: 0 });
  await assert.rejects(world.run(world.call(), [answer(429, { 'retry-after': '7' })]));
  await world.run(world.call(), [OK]);
  assert.deepEqual(world.slept, [7000]);
});

test('a refusal that asks for less than the reset speaks of a bucket', async () => {
  const world = new World({ pacing: true });
  const headers = { 'retry-after': '2', 'ratelimit-policy': 'a;q=30;w=60', ratelimit: 'a;r=0;t=10' };
  await world.run(world.call('safe', { timeoutMs: 5000 }), [answer(429, headers), OK]);
  assert.deepEqual(world.slept, [2000]);
});

describe('the queue', () => {
  const NOW = 100_000;
  const told = (policy: string, ratelimit: string) => new Headers({ 'ratelimit-policy': policy, ratelimit });
  const places = (pacer: Pacer, count: number, operation = 'o') =>
    Array.from({ length: count }, () => pacer.reserve(operation, NOW));

  test('callers at once wait one after the other', () => {
    const pacer = new Pacer();
    // The time until it is full grows: a bucket.
    pacer.release('o', NOW, told('a;q=60;w=60', 'a;r=1;t=9'));
    pacer.release('o', NOW, told('a;q=60;w=60', 'a;r=0;t=10'));
    assert.deepEqual(places(pacer, 3), [1000, 2000, 3000]);
  });

  test('in a window they wait for the next and then for the one after', () => {
    const pacer = new Pacer();
    pacer.release('o', NOW, told('a;q=2;w=60', 'a;r=0;t=30'));
    assert.deepEqual(places(pacer, 5), [30_000, 30_000, 90_000, 90_000, 150_000]);
  });

  test('those under way are counted', () => {
    const pacer = new Pacer();
    const headers = told('a;q=9;w=60', 'a;r=3;t=30');
    pacer.release('o', NOW, headers);
    assert.deepEqual(places(pacer, 2), [0, 0]);
    pacer.release('o', NOW, headers); // the server may not have seen the other one yet
    assert.deepEqual(
      places(pacer, 3).map((ms) => ms > 0),
      [false, false, true],
    );
  });

  test('operations have limits of their own', () => {
    const pacer = new Pacer();
    pacer.release('a', NOW, new Headers({ ratelimit: 'x;r=0;t=30' }));
    assert.deepEqual([...places(pacer, 1, 'a'), ...places(pacer, 1, 'b')], [30_000, 0]);
  });
});

describe('headers', () => {
  for (const headers of [
    {},
    { ratelimit: '' },
    { ratelimit: 'nonsense' },
    { ratelimit: '"a";r=-1;t=5' },
    { ratelimit: '"a";r=x' },
    { ratelimit: ';;;,,' },
    { 'ratelimit-remaining': 'soon', 'ratelimit-reset': '3' },
    { 'ratelimit-remaining': '3' },
    { 'ratelimit-policy': '"a";q=5;w=5' },
  ] as const)
    test(`what cannot be understood is as if it were absent: ${JSON.stringify(headers)}`, () =>
      assert.equal(readHeaders(new Headers(headers)), undefined));

  test('of several limits the tightest counts', () =>
    assert.deepEqual(
      readHeaders(
        new Headers({
          ratelimit: '"hour";r=50;t=600, "burst";r=2;t=3',
          'ratelimit-policy': '"burst";q=5;w=3',
        }),
      ),
      { remaining: 2, resetMs: 3000, quota: 5, windowMs: 3000 },
    ));

  test('those of the earlier drafts name no policy', () =>
    assert.deepEqual(readHeaders(new Headers({ 'ratelimit-remaining': '0', 'ratelimit-reset': '30' })), {
      remaining: 0,
      resetMs: 30_000,
      quota: 0,
      windowMs: 30_000,
    }));
});
