/** What a call waits for besides its answer: tokens and endpoints. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorise } from '../../src/runtime/auth/authorise.js';
import { bodyOf } from '../../src/runtime/encoding/content.js';
import {
  AuthenticationError,
  BreakerOpenError,
  ConnectionFailedError,
  ConnectionLostError,
} from '../../src/runtime/errors.js';
import type { Endpoints, Pick } from '../../src/runtime/flow/endpoints.js';
import type { TokenSource } from '../../src/runtime/flow/plan.js';
import { TransportFailed } from '../../src/runtime/wire.js';
import { answer, headersOf, LOST, OK, UNSENT, World } from './world.js';

/** Tokens numbered as they are fetched; the first `broken` fetches fail. */
class Tokens implements TokenSource {
  readonly authorise = authorise;
  fetched = 0;
  #current: string | undefined;
  #broken: number;

  constructor(broken = 0) {
    this.#broken = broken;
  }

  ready(): string | undefined {
    return this.#current;
  }

  refused(token: string): void {
    if (token === this.#current) this.#current = undefined;
  }

  async fetch(): Promise<string> {
    if (this.#broken-- > 0) throw new TransportFailed(UNSENT);
    this.#current = `t${++this.fetched}`;
    return this.#current;
  }
}

const authorizations = (world: World) => world.sent.map((send) => headersOf(send).authorization);

describe('tokens', () => {
  test('one is fetched and used again', async () => {
    const [world, tokens] = [new World(), new Tokens()];
    for (let call = 0; call < 2; call++) await world.run(world.call('safe', { tokens }), [OK]);
    assert.deepEqual([authorizations(world), tokens.fetched], [['Bearer t1', 'Bearer t1'], 1]);
    assert.equal(world.clock.pending, 0);
  });

  test('a refused one is renewed once and costs no retry', async () => {
    const [world, tokens] = [new World({ maxRetries: 0 }), new Tokens()];
    const got = await world.run(world.call('never', { tokens }), [answer(401), OK]);
    assert.equal(got.attempts, 2);
    assert.deepEqual([authorizations(world), world.slept], [['Bearer t1', 'Bearer t2'], []]);
  });

  test('a second refusal is the caller’s', async () => {
    const [world, tokens] = [new World(), new Tokens()];
    const done = world.run(world.call('safe', { tokens }), [answer(401), answer(401), OK]);
    await assert.rejects(done, AuthenticationError);
    assert.equal(tokens.fetched, 2);
  });

  test('a body that ran dry is not sent again', async () => {
    const [world, tokens] = [new World(), new Tokens()];
    const body = bodyOf([new Uint8Array([1])].values());
    const done = world.run(world.call('safe', { tokens, body }), [answer(401), OK]);
    await assert.rejects(done, AuthenticationError);
  });

  test('each retry asks whether the token still holds', async () => {
    const [world, tokens] = [new World(), new Tokens()];
    await world.run(world.call('safe', { tokens }), [answer(503), answer(401), OK]);
    assert.deepEqual(authorizations(world), ['Bearer t1', 'Bearer t1', 'Bearer t2']);
  });

  test('where none can be fetched it is tried again like an attempt', async () => {
    const [world, tokens] = [new World(), new Tokens(1)];
    await world.run(world.call('never', { tokens }), [OK]);
    assert.deepEqual([world.slept.length, tokens.fetched, world.sent.length], [1, 1, 1]);
  });

  test('and at last its error is what the call is rejected with', async () => {
    const [world, tokens] = [new World({ maxRetries: 1 }), new Tokens(5)];
    await assert.rejects(world.run(world.call('safe', { tokens }), [OK]), ConnectionFailedError);
    assert.equal(world.sent.length, 0);
  });
});

/** The first one that was not tried; what is settled is noted. */
class TwoEndpoints implements Endpoints {
  readonly settled: [string, boolean | undefined][] = [];
  readonly #all = ['https://a.test', 'https://b.test'];

  source(): undefined {
    return undefined;
  }

  pick(avoid: readonly string[], admits: (url: string) => boolean): Pick | undefined {
    const admitted = this.#all.filter(admits);
    const url = admitted.find((found) => !avoid.includes(found)) ?? admitted[0];
    return url === undefined ? undefined : { endpoint: { url } };
  }

  settle(pick: Pick, verdict: boolean | undefined): void {
    this.settled.push([pick.endpoint.url, verdict]);
  }

  urls(): readonly string[] {
    return this.#all;
  }
}

const urls = (world: World) => world.sent.map((send) => send.endpoint.url);

describe('endpoints', () => {
  test('a retry goes elsewhere', async () => {
    const endpoints = new TwoEndpoints();
    const world = new World({ endpoints });
    await world.run(world.call(), [LOST, OK]);
    assert.deepEqual(urls(world), ['https://a.test', 'https://b.test']);
    assert.deepEqual(endpoints.settled, [
      ['https://a.test', false],
      ['https://b.test', true],
    ]);
  });

  test('going elsewhere costs no budget where nobody was there', async () => {
    const budget = { perCall: 0, perSecond: 0, reserve: 0 };
    const world = new World({ endpoints: new TwoEndpoints(), budget });
    assert.equal((await world.run(world.call(), [UNSENT, OK])).attempts, 2);
    await assert.rejects(world.run(world.call(), [LOST]), ConnectionLostError);
  });

  test('one whose breaker refuses is left out, and where all refuse nothing is held', async () => {
    const endpoints = new TwoEndpoints();
    const world = new World({ endpoints });
    const { breakers } = world.policies;
    breakers.refusesForMs = (url) => (url === 'https://a.test' ? 5000 : 0);
    await world.run(world.call(), [OK]);
    breakers.refusesForMs = () => 5000;
    await assert.rejects(world.run(world.call(), []), BreakerOpenError);
    assert.deepEqual(endpoints.settled, [['https://b.test', true]]);
  });

  test('where nobody was there another is tried at once', async () => {
    const world = new World({ endpoints: new TwoEndpoints() });
    await world.run(world.call(), [UNSENT, UNSENT, OK]);
    assert.deepEqual(
      world.slept.map((ms) => ms > 0),
      [false, true],
    );
  });

  for (const [status, verdict] of [
    [500, false],
    [503, false],
    [404, undefined],
    [429, undefined],
  ] as const)
    test(`what speaks against an endpoint: ${status}`, async () => {
      const endpoints = new TwoEndpoints();
      const world = new World({ endpoints, maxRetries: 0 });
      await assert.rejects(world.run(world.call(), [answer(status)]));
      assert.deepEqual(endpoints.settled, [['https://a.test', verdict]]);
    });

  test('an open breaker leaves the other endpoint', async () => {
    const world = new World({ endpoints: new TwoEndpoints(), maxRetries: 0, breaker: { failures: 2 } });
    for (let call = 0; call < 2; call++) await assert.rejects(world.run(world.call(), [answer(503)]));
    await world.run(world.call(), [OK]);
    assert.equal(urls(world).at(-1), 'https://b.test');
  });
});
