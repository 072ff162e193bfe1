/** What retries may add to the load. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budgetOf } from '../../src/runtime/policies/budget.js';
import type { Outcome } from '../../src/runtime/wire.js';
import { Clock, seeded } from '../clock.js';
import { answer, OK, World } from '../flow/world.js';

const busy = answer(503);

test('a fresh client may retry at once', async () => {
  const world = new World({ budget: {} });
  await world.run(world.call(), [busy, busy, OK]);
  assert.equal(world.sent.length, 3);
});

test('in a full outage attempts stay within a fifth above the calls', async () => {
  const world = new World({ budget: {} });
  for (let call = 0; call < 1000; call++)
    await assert.rejects(world.run(world.call(), Array<Outcome>(3).fill(busy)));
  assert.ok(world.sent.length > 1000 && world.sent.length <= 1200, `${world.sent.length}`);
});

test('the token is taken when the retry is queued', async () => {
  const world = new World({ budget: { reserve: 1, perCall: 0, perSecond: 0 } });
  await world.run(world.call(), [busy, OK]);
  await assert.rejects(world.run(world.call(), [busy, OK]), { attempts: 1 });
  assert.equal(world.toldOf('retryScheduled').length, 1);
});

test('time brings tokens to a client that calls rarely', async () => {
  const world = new World({ budget: { reserve: 1, perCall: 0, perSecond: 0.1 } });
  await world.run(world.call(), [busy, OK]);
  await assert.rejects(world.run(world.call(), [busy, OK]));
  world.clock.pass(10_000);
  await world.run(world.call(), [busy, OK]);
});

test('ten calls pay for one retry', () => {
  const budget = budgetOf({ reserve: 10, perCall: 0.1, perSecond: 0 }, new Clock().now);
  while (budget.withdraw());
  for (let call = 0; call < 9; call++) budget.deposit();
  assert.equal(budget.withdraw(), false);
  budget.deposit();
  assert.equal(budget.withdraw(), true);
});

test('null never ends', () => {
  const budget = budgetOf(null, new Clock().now);
  for (let call = 0; call < 1000; call++) assert.ok(budget.withdraw());
});

test('no history gives more than the stated bound', () => {
  const random = seeded(11);
  const one = <T>(of: readonly [T, ...T[]]): T => of[Math.floor(random() * of.length)] ?? of[0];
  for (let history = 0; history < 500; history++) {
    const reserve = Math.floor(random() * 6);
    const perCall = one([0, 0.1, 0.5, 1]);
    const perSecond = one([0, 0.1, 2]);
    const clock = new Clock();
    const budget = budgetOf({ reserve, perCall, perSecond }, clock.now);
    const began = clock.now();
    let [calls, granted] = [0, 0];
    for (let step = random() * 200; step > 0; step--) {
      const kind = one(['deposit', 'withdraw', 'wait']);
      if (kind === 'deposit') {
        budget.deposit();
        calls++;
      } else if (kind === 'wait') clock.pass(300);
      else if (budget.withdraw()) granted++;
    }
    const bound = reserve + perCall * calls + (perSecond * (clock.now() - began)) / 1000;
    assert.ok(granted <= bound + 1e-6, `${granted} granted, ${bound} allowed`);
  }
});
