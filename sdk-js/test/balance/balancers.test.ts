/** What each balancer balances by. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PENALTY, PeakEwma } from '../../src/runtime/balance/latency.js';
import { A, B, Balancing, C, each, only } from './world.js';

const SLOW = { [A]: 10, [B]: 10, [C]: 100 };
const FAST = each([A, B, C], 10);

function inOrder(balancing: Balancing, attempts: number): string {
  return Array.from({ length: attempts }, () => balancing.attempt().at(8)).join('');
}

function share(shares: Readonly<Record<string, number>>, url: string): number {
  return shares[url] ?? 0;
}

test('smooth weighted turns are spread as in nginx', () => {
  const balancing = new Balancing([{ url: A, weight: 5 }], { algorithm: 'weighted', slowStartMs: 0 });
  balancing.update({ url: A, weight: 5 }, { url: B, weight: 1 });
  balancing.update({ url: A, weight: 5 }, { url: B, weight: 1 }, { url: C, weight: 1 });
  assert.equal(inOrder(balancing, 14), 'aabacaaaabacaa');
});

test('round robin takes turns whatever the weights', () => {
  const balancing = new Balancing([{ url: A, weight: 5 }, B, C], { algorithm: 'round_robin' });
  const turns = inOrder(balancing, 3);
  assert.equal(inOrder(balancing, 6), turns + turns);
  assert.equal(new Set(turns).size, 3);
});

test('a turn missed is not lost', () => {
  const balancing = new Balancing([A, B, C], { algorithm: 'round_robin' });
  const without = balancing.shares(30, { admits: only(A, B) });
  assert.equal(share(without, C) + share(balancing.shares(30), C), 10);
});

test('clients do not all begin with the same endpoint', () => {
  const balancing = new Balancing([], { algorithm: 'round_robin' });
  const firsts = new Set<string>();
  for (let client = 0; client < 30; client++) {
    balancing.update();
    balancing.update(A, B, C);
    firsts.add(balancing.attempt());
  }
  assert.equal(firsts.size, 3);
});

for (const algorithm of ['p2c_ewma', 'least_connections'] as const)
  test(`a slow endpoint gets less by ${algorithm}`, () => {
    const shares = new Balancing([A, B, C], { algorithm }).load(4000, 1, SLOW);
    assert(share(shares, C) < 800, JSON.stringify(shares)); // a fair share would be 1333
    assert(Math.abs(share(shares, A) - share(shares, B)) < 300, JSON.stringify(shares));
  });

for (const algorithm of ['round_robin', 'weighted'] as const)
  test(`turns do not ask who is slow by ${algorithm}`, () => {
    assert.equal(share(new Balancing([A, B, C], { algorithm }).load(3000, 1, SLOW), C), 1000);
  });

describe('p2c_ewma', () => {
  test('avoids a slow endpoint that is idle', () => {
    const balancing = new Balancing([A, B, C]);
    for (const [url, tookMs] of Object.entries(SLOW)) balancing.attempt(true, { tookMs, admits: only(url) });
    assert.equal(share(balancing.shares(200), C), 0);
  });

  test('comes back to an endpoint that was slow once', () => {
    const balancing = new Balancing([A, B]);
    balancing.load(100, 1, FAST);
    balancing.attempt(true, { tookMs: 1000, admits: only(A) });
    assert(share(balancing.load(2000, 1, FAST), A) < 200); // two seconds
    balancing.load(60_000, 1, FAST); // a minute: 1 s * exp(-60 / 10) is less than 10 ms
    assert(share(balancing.load(2000, 1, FAST), A) > 800);
  });

  test('does not let a refusal at once make up for a slow answer', () => {
    const balancing = new Balancing([A, B], { ejection: null });
    balancing.attempt(true, { tookMs: 50, admits: only(A) });
    balancing.attempt(true, { tookMs: 100, admits: only(B) });
    for (let time = 0; time < 20; time++) balancing.attempt(false, { tookMs: 0.1, admits: only(B) });
    assert.equal(balancing.attempt(), A);
  });

  test('knows that the loser of a race is slow', () => {
    const balancing = new Balancing([A, B]);
    balancing.attempt(true, { tookMs: 100, admits: only(A) });
    balancing.attempt(true, { tookMs: 50, admits: only(B) });
    balancing.look({ tookMs: 300, admits: only(B) });
    assert.equal(balancing.attempt(), A);
  });

  test('weighs weights and slowness', () => {
    // Of weights 3 and 1, half of the rounds know the heavy one alone.
    const balancing = new Balancing([{ url: A, weight: 3 }, B]);
    const part = share(balancing.load(4000, 10, { [A]: 100, [B]: 10 }), A) / 4000;
    assert(part > 0.4 && part < 0.6, `${part}`);
  });
});

test('least connections looks at what is under way for the weight', () => {
  const balancing = new Balancing([{ url: A, weight: 2 }, B], { algorithm: 'least_connections' });
  const urls = Array.from({ length: 30 }, () => balancing.pool.pick()?.endpoint.url);
  assert.equal(urls.filter((url) => url === A).length, 20);
});

describe('peak EWMA', () => {
  const near = (found: number, expected: number) => assert(Math.abs(found - expected) < 1e-4, `${found}`);

  test('a peak is believed at once', () => {
    const latency = new PeakEwma(0);
    latency.observe(100, 0);
    latency.observe(2000, 0);
    assert.equal(latency.load(0, 0), 2000);
  });

  test('it is forgotten by time alone', () => {
    const latency = new PeakEwma(0);
    latency.observe(1000, 0);
    near(latency.load(0, 10_000), 367.87944);
    near(latency.load(0, 20_000), 135.33528);
  });

  test('between peaks it is the average over time', () => {
    const latency = new PeakEwma(0);
    latency.observe(1000, 0);
    latency.observe(500, 10_000);
    near(latency.load(0, 10_000), 367.87944 + 0.5 * 632.12056);
  });

  test('the queue multiplies it', () => {
    const latency = new PeakEwma(0);
    latency.observe(200, 0);
    near(latency.load(4, 0), 1000);
  });

  test('work without a measurement is a penalty', () => {
    const latency = new PeakEwma(0);
    assert.equal(latency.load(0, 0), 0);
    assert.equal(latency.load(2, 0), PENALTY + 2);
  });

  test('a clock that stands or goes back does no harm', () => {
    const latency = new PeakEwma(10_000);
    latency.observe(1000, 10_000);
    latency.observe(500, 9000);
    assert.equal(latency.load(0, 9000), 1000);
  });
});
