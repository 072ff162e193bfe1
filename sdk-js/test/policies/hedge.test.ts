/** When an attempt is slow. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HedgePolicy, Latencies } from '../../src/runtime/policies/hedge.js';

const seen = (policy: HedgePolicy, latencies: readonly number[]) => {
  const found = new Latencies(policy);
  for (const ms of latencies) found.record(ms);
  return found.delayMs();
};

test('too few latencies tell nothing', () => assert.equal(seen({ minSamples: 3 }, [100, 100]), undefined));

test('the percentile is the nearest rank', () => {
  const latencies = Array.from({ length: 100 }, (_, index) => (index + 1) * 10);
  assert.equal(seen({ percentile: 0.95, minSamples: 1, samples: 100 }, latencies), 950);
  assert.equal(seen({ percentile: 0.5, minSamples: 4 }, [300, 100, 400, 200]), 200);
});

test('only the latest count', () => {
  const latencies = [...Array<number>(10).fill(9000), ...Array<number>(10).fill(1000)];
  assert.equal(seen({ minSamples: 1, samples: 10 }, latencies), 1000);
});

test('it is never shorter than the least delay', () =>
  assert.equal(seen({ minSamples: 1, minDelayMs: 500 }, [1]), 500));
