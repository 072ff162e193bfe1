/** A second attempt beside a slow one. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RetryClass } from '../../src/runtime/call.js';
import { bodyOf } from '../../src/runtime/encoding/content.js';
import { callFlow } from '../../src/runtime/flow/life.js';
import { race } from '../../src/runtime/flow/race.js';
import {
  type Answer,
  isAnswer,
  type Outcome,
  type Race,
  type Raced,
  type Send,
} from '../../src/runtime/wire.js';
import { Clock, settled } from '../clock.js';
import { answer, type CallChanges, headersOf, LOST, OK, World, type WorldOptions } from './world.js';

const HEDGE = { minSamples: 20 };

/** A world that has seen enough latencies, and the race that its next call asks for. */
async function hedging(retry: RetryClass = 'safe', changes: CallChanges = {}, options: WorldOptions = {}) {
  const world = new World({ hedge: HEDGE, ...options });
  for (let call = 0; call < HEDGE.minSamples; call++) await world.run(world.call(), [OK], 200);
  const flow = callFlow(world.call(retry, changes), world.policies);
  const step = flow.next().value;
  const end = (raced: Raced): Answer => {
    const { done, value } = flow.next(raced);
    assert.ok(done);
    return value;
  };
  return { world, flow, step, end };
}

/** What a flow asks for, which has to be a race. */
function raceOf(step: unknown): Race {
  assert.ok(typeof step === 'object' && step !== null && 'second' in step);
  return step as Race; // by its one member that no other step has
}

describe('the flow', () => {
  test('after the percentile a second attempt may start', async () => {
    const { world, step, end } = await hedging();
    assert.equal(raceOf(step).afterMs, 200);
    assert.equal(headersOf(raceOf(step).second())['x-d-attempt'], '2');
    assert.equal(end({ first: undefined, second: OK }).attempts, 2);
    assert.deepEqual(world.told.slice(-4), [
      ['hedged', 2, 200],
      ['attemptFinished', 1, 'cancelled'],
      ['attemptFinished', 2, 200],
      ['finished', 2, undefined],
    ]);
  });

  for (const retry of ['keyed', 'never'] as const)
    test(`only what may be repeated is hedged: ${retry}`, async () =>
      assert.ok('request' in ((await hedging(retry)).step as Send)));

  test('a body that ran dry is not sent twice', async () => {
    const body = bodyOf([new Uint8Array([1])].values());
    const { step, end } = await hedging('safe', { body });
    for await (const _ of body.chunks());
    assert.equal(raceOf(step).second(), undefined);
    end({ first: OK, second: undefined });
  });

  test('the budget pays for it', async () => {
    const budget = { reserve: 0, perCall: 0, perSecond: 0 };
    const { step, end } = await hedging('safe', {}, { budget });
    assert.equal(raceOf(step).second(), undefined);
    end({ first: OK, second: undefined });
  });

  test('where the first fails the second counts', async () => {
    const { step, end } = await hedging();
    raceOf(step).second();
    assert.equal(end({ first: LOST, second: OK }).status, 200);
  });

  test('a call that is given up settles both', async () => {
    const { world, step, flow } = await hedging();
    raceOf(step).second();
    flow.return(OK);
    assert.deepEqual(world.told.slice(-3), [
      ['attemptFinished', 1, 'cancelled'],
      ['attemptFinished', 2, 'cancelled'],
      ['finished', 2, 'Cancelled'],
    ]);
  });

  test('the whole of it, on the clock', async () => {
    const world = new World({ hedge: HEDGE });
    for (let call = 0; call < HEDGE.minSamples; call++) await world.run(world.call(), [OK], 200);
    const began = world.clock.now();
    const got = await world.carryOut(world.call(), (step) =>
      headersOf(step)['x-d-attempt'] === '1' ? new Promise(() => {}) : Promise.resolve(OK),
    );
    assert.deepEqual([got.attempts, world.clock.now() - began, world.clock.pending], [2, 200, 0]);
  });
});

const send = (): Send => ({
  step: 'send',
  request: { method: 'GET', target: '/', headers: [], body: undefined },
  endpoint: { url: 'https://a.test' },
  headers: [],
  timeLeftMs: 10_000,
  idleMs: 10_000,
  keepOpen: () => false,
});
const [FIRST, SECOND] = [send(), send()];

/** Races two attempts whose outcomes the test decides. */
function racing(second: () => Send | undefined = () => SECOND) {
  const clock = new Clock();
  const caller = new AbortController();
  const given: Record<string, { resolve: (outcome: Outcome) => void; reject: (error: unknown) => void }> = {};
  const givenUp: string[] = [];
  const transport = {
    send: (step: Send, signal: AbortSignal | undefined) => {
      const name = step === FIRST ? 'first' : 'second';
      return new Promise<Outcome>((resolve, reject) => {
        given[name] = { resolve, reject };
        signal?.addEventListener('abort', () => givenUp.push(name));
      });
    },
  };
  const step: Race = {
    step: 'race',
    first: FIRST,
    afterMs: 100,
    second,
    decisive: (outcome) => isAnswer(outcome) && outcome.status < 500,
    run: race,
  };
  const done = race(step, transport, clock, caller.signal);
  return { clock, caller, given, givenUp, done };
}

const closable = () => {
  const seen = { closed: false };
  const reader = {
    async *chunks() {},
    close: async () => {
      seen.closed = true;
    },
  };
  return { seen, late: { ...OK, reader } };
};

describe('the race', () => {
  test('a fast first has no second', async () => {
    const { clock, given, done } = racing(() => assert.fail('nobody asked'));
    given.first?.resolve(OK);
    assert.deepEqual(await done, { first: OK, second: undefined });
    assert.equal(clock.pending, 0);
  });

  test('a first that fails before the wait is over has no second', async () => {
    const { given, done } = racing(() => assert.fail('nobody asked'));
    given.first?.resolve(LOST);
    assert.deepEqual(await done, { first: LOST, second: undefined });
  });

  test('the loser is given up, and what it brings all the same is thrown away', async () => {
    const { clock, given, givenUp, done } = racing();
    const { seen, late } = closable();
    await clock.advance(100);
    given.second?.resolve(OK);
    assert.deepEqual(await done, { first: undefined, second: OK });
    assert.ok(givenUp.includes('first'));
    given.first?.resolve(late);
    await settled();
    assert.equal(seen.closed, true);
  });

  test('a winner whose body is still arriving is left alone, until the caller leaves', async () => {
    const { clock, caller, given, givenUp, done } = racing();
    const { late } = closable();
    await clock.advance(100);
    given.second?.resolve(late);
    await done;
    assert.deepEqual(givenUp, ['first']);
    caller.abort();
    assert.deepEqual(givenUp, ['first', 'second']);
  });

  test('a failure waits for the other', async () => {
    const { clock, given, done } = racing();
    await clock.advance(100);
    given.second?.resolve(LOST);
    await settled();
    given.first?.resolve(OK);
    assert.deepEqual(await done, { first: OK, second: LOST });
  });

  test('both may fail', async () => {
    const { clock, given, done } = racing();
    await clock.advance(100);
    given.second?.resolve(LOST);
    given.first?.resolve(answer(503));
    const { first, second } = await done;
    assert.deepEqual([isAnswer(first) && first.status, second], [503, LOST]);
  });

  test('where there is to be no second, the first is waited for', async () => {
    const { clock, given, done } = racing(() => undefined);
    await clock.advance(1000);
    given.first?.resolve(OK);
    assert.deepEqual(await done, { first: OK, second: undefined });
  });

  test('what the caller did wrong is what it is rejected with', async () => {
    const { clock, given, givenUp, done } = racing();
    const broken = new RangeError('the body broke');
    await clock.advance(100);
    given.first?.reject(broken);
    await assert.rejects(done, broken);
    assert.ok(givenUp.includes('second'));
  });

  test('a caller who leaves gives up both', async () => {
    const { clock, caller, givenUp, done } = racing();
    await clock.advance(100);
    caller.abort(new Error('enough'));
    await assert.rejects(done, /enough/);
    assert.deepEqual([givenUp.sort(), clock.pending], [['first', 'second'], 0]);
  });
});
