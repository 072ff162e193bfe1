/** What every balancer keeps, whatever it balances by. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BALANCERS } from '../../src/runtime/balance/balancer.js';
import type { Algorithm } from '../../src/runtime/balance/policy.js';
import { A, B, Balancing, C, each, misfit, only } from './world.js';

const ALGORITHMS = Object.keys(BALANCERS) as Algorithm[]; // the keys of a record of them
const THREE = [A, B, C];
/** Exceeded by chance once in a thousand times, with two degrees of freedom (three endpoints). */
const CHI_SQUARED_2 = 13.8;
const CHI_SQUARED_1 = 10.8;

for (const algorithm of ALGORITHMS)
  describe(algorithm, () => {
    test('equal endpoints get equal shares', () => {
      const shares = new Balancing(THREE, { algorithm }).shares(6000);
      assert(misfit(shares, each(THREE, 1)) < CHI_SQUARED_2, JSON.stringify(shares));
    });

    test('equal shares hold while calls overlap', () => {
      // Within a tenth: what a balancer by load evens out is the load, and the count only on the whole.
      const shares = new Balancing(THREE, { algorithm }).load(6000, 1, each(THREE, 10));
      for (const count of Object.values(shares)) assert(Math.abs(count - 2000) < 200, JSON.stringify(shares));
    });

    test('a retry goes elsewhere', () => {
      const balancing = new Balancing(THREE, { algorithm });
      assert.deepEqual(balancing.shares(20, { avoid: [A, C] }), { [B]: 20 });
    });

    test('what was tried is used again where nothing else is left', () => {
      const balancing = new Balancing([A, B], { algorithm });
      assert.deepEqual(Object.keys(balancing.shares(20, { avoid: [A, B] })).sort(), [A, B]);
      assert.deepEqual(balancing.shares(20, { avoid: [A, B], admits: only(B) }), { [B]: 20 });
    });

    test('what a breaker refuses is not picked', () => {
      const balancing = new Balancing(THREE, { algorithm });
      assert.deepEqual(Object.keys(balancing.shares(50, { admits: only(B, C) })).sort(), [B, C]);
      assert.equal(balancing.attempt(true, { admits: only() }), '');
    });

    test('no endpoint is no pick', () => {
      assert.equal(new Balancing([], { algorithm }).attempt(), '');
    });

    test('a killed endpoint fails no call and is soon left alone', () => {
      const balancing = new Balancing(THREE, { algorithm });
      balancing.load(300, 1, each(THREE, 10));
      const attempts = Array.from({ length: 600 }, () => {
        const tried: string[] = [];
        while (!tried.length || tried.at(-1) === B) {
          const pick = balancing.pool.pick(tried);
          assert(pick);
          const isDead = pick.endpoint.url === B;
          tried.push(pick.endpoint.url);
          balancing.clock.pass(isDead ? 1 : 10);
          balancing.pool.settle(pick, !isDead);
        }
        return tried.length;
      });
      const repeated = attempts.filter((count) => count === 2).length;
      assert(Math.max(...attempts) <= 2);
      assert(repeated >= 1 && repeated <= 5, `${repeated}`); // until it is ejected
      assert(!attempts.slice(-300).includes(2));
    });

    test('a new endpoint gets its share and a lost one gets none', () => {
      const balancing = new Balancing([A, B], { algorithm, slowStartMs: 0 });
      balancing.shares(100);
      balancing.update(B, C);
      const shares = balancing.shares(2000);
      assert.deepEqual(Object.keys(shares).sort(), [B, C]);
      assert(Math.abs((shares[C] ?? 0) - 1000) < 120);
    });

    test('an attempt may end after its endpoint has gone', () => {
      const balancing = new Balancing([A], { algorithm });
      const picks = Array.from({ length: 9 }, () => balancing.pool.pick());
      balancing.update(B, C);
      for (const pick of picks) {
        assert(pick);
        balancing.pool.settle(pick, false);
      }
      assert.deepEqual(Object.keys(balancing.shares(20)).sort(), [B, C]);
      assert.deepEqual(balancing.events, []);
    });

    test('settling twice counts once', () => {
      const balancing = new Balancing([A, B], { algorithm });
      const first = balancing.pool.pick();
      const second = balancing.pool.pick();
      assert(first && second);
      for (let time = 0; time < 50; time++) balancing.pool.settle(first, false);
      balancing.pool.settle(second, true);
      assert.deepEqual(balancing.events, []);
      assert(misfit(balancing.shares(1000), each([A, B], 1)) < CHI_SQUARED_1);
    });

    if (algorithm === 'round_robin') return;

    for (const [a, b, c] of [
      [1, 2, 3],
      [0.5, 0.5, 8],
      [5, 1, 1],
    ] as const)
      test(`shares follow the weights ${a}, ${b} and ${c}`, () => {
        const endpoints = [
          { url: A, weight: a },
          { url: B, weight: b },
          { url: C, weight: c },
        ];
        const shares = new Balancing(endpoints, { algorithm }).shares(6000);
        assert(misfit(shares, { [A]: a, [B]: b, [C]: c }) < CHI_SQUARED_2, JSON.stringify(shares));
      });

    test('a weight may change', () => {
      const balancing = new Balancing([A, B], { algorithm });
      balancing.shares(100);
      balancing.update(A, { url: B, weight: 3 });
      assert(misfit(balancing.shares(4000), { [A]: 1, [B]: 3 }) < CHI_SQUARED_1);
    });
  });
