/** When a provider is asked again, and who waits for it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Balanced } from '../../src/runtime/balance/balanced.js';
import { resolveBalance } from '../../src/runtime/balance/policy.js';
import { EndpointPool } from '../../src/runtime/balance/pool.js';
import { Clock } from '../clock.js';
import { A, B } from './world.js';

const NOBODY = { send: () => Promise.reject(new Error('nothing is sent to fetch this')) };

/** Endpoints from a provider that a test lets answer. */
class World {
  readonly clock = new Clock();
  readonly forgotten: (readonly string[])[] = [];
  asked = 0;
  answer: () => Promise<readonly { readonly url: string }[]> = async () => [{ url: A }];
  readonly balanced: Balanced;

  constructor() {
    const provider = {
      refreshMs: 10_000,
      endpoints: () => {
        this.asked += 1;
        return this.answer();
      },
    };
    const pool = new EndpointPool(resolveBalance(), this.clock);
    this.balanced = new Balanced(pool, provider, this.clock.now, (urls) => this.forgotten.push(urls));
  }

  /** What a call does before it picks; says whether it had to ask. */
  async prepare(): Promise<boolean> {
    const source = this.balanced.source(this.clock.now());
    await source?.fetch(NOBODY);
    return source !== undefined;
  }
}

test('endpoints that are given need nobody to be asked', () => {
  const clock = new Clock();
  const pool = new EndpointPool(resolveBalance(), clock);
  const balanced = new Balanced(pool, [{ url: A }], clock.now, () => {});
  assert.equal(balanced.source(clock.now()), undefined);
  const pick = balanced.pick([], () => true);
  assert.equal(pick?.endpoint.url, A);
});

test('an answer is good for its time', async () => {
  const world = new World();
  assert.equal(await world.prepare(), true);
  assert.deepEqual(world.balanced.urls(), [A]);
  world.clock.pass(9_999);
  assert.equal(await world.prepare(), false);
  world.answer = async () => [{ url: B }];
  world.clock.pass(1);
  assert.equal(await world.prepare(), true);
  assert.deepEqual(world.balanced.urls(), [B]);
  assert.deepEqual(world.forgotten, [[], [A]]);
});

test('who comes before the first answer waits for it with the others', async () => {
  const world = new World();
  await Promise.all(Array.from({ length: 50 }, () => world.prepare()));
  assert.equal(world.asked, 1);
});

test('while one asks again the others use what is known', async () => {
  const world = new World();
  await world.prepare();
  world.clock.pass(10_000);
  let arrive = (_: readonly { readonly url: string }[]) => {};
  world.answer = () =>
    new Promise((resolve) => {
      arrive = resolve;
    });
  const asking = world.prepare();
  assert.equal(await world.prepare(), false);
  arrive([{ url: B }]);
  await asking;
  assert.deepEqual(world.balanced.urls(), [B]);
});

test('a provider that fails is asked again soon, and its last answer holds', async () => {
  const world = new World();
  await world.prepare();
  world.answer = () => Promise.reject(new Error('down'));
  world.clock.pass(10_000);
  assert.equal(await world.prepare(), true);
  assert.deepEqual(world.balanced.urls(), [A]);
  world.clock.pass(999);
  assert.equal(await world.prepare(), false);
  world.clock.pass(1);
  assert.equal(await world.prepare(), true);
});

test('the first failure is for the callers', async () => {
  const world = new World();
  world.answer = () => Promise.reject(new Error('down'));
  await assert.rejects(world.prepare(), /down/);
  world.answer = async () => [{ url: A }];
  assert.equal(await world.prepare(), true);
});
