/** Who is left out, for how long, and how it comes back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BalancePolicy, type EjectionPolicy, resolveBalance } from '../../src/runtime/balance/policy.js';
import { ramp } from '../../src/runtime/balance/slow-start.js';
import { ConfigurationError } from '../../src/runtime/errors.js';
import { seeded } from '../clock.js';
import { A, B, Balancing, C, each, misfit, only } from './world.js';

const FIVE = ['a', 'b', 'c', 'd', 'e'].map((name) => `https://${name}.test`);
const FOURTH = 'https://d.test';
const RATES_ONLY: EjectionPolicy = { consecutiveFailures: null };

function served(balancing: Balancing): readonly string[] {
  return Object.keys(balancing.shares(60)).sort();
}

/** Calls of one interval in random order, so many of each endpoint's failing; then the interval ends. */
function busy(balancing: Balancing, failures: Readonly<Record<string, number>>, calls: number): void {
  const random = seeded(1);
  const ends = Object.entries(failures).flatMap(([url, failed]) =>
    Array.from({ length: calls }, (_, number) => ({ url, verdict: number >= failed, order: random() })),
  );
  for (const { url, verdict } of ends.sort((one, other) => one.order - other.order))
    balancing.at(url, verdict);
  balancing.clock.pass(10_000);
  balancing.look();
}

test('failures in a row eject at once', () => {
  const balancing = new Balancing([A, B, C]);
  balancing.at(B, false, 4);
  assert.deepEqual(balancing.events, []);
  balancing.at(B, false);
  assert.deepEqual(balancing.events, [
    { type: 'EndpointEjected', endpoint: B, forMs: 30_000, reason: '5 failures in a row' },
  ]);
  assert.deepEqual(served(balancing), [A, C]);
});

test('a success between failures begins anew, and what says nothing does not', () => {
  const balancing = new Balancing([A, B]);
  balancing.at(A, false, 4);
  balancing.at(A, true);
  balancing.at(A, false, 4);
  assert.deepEqual(balancing.events, []);
  balancing.look({ admits: only(A) });
  balancing.at(A, false);
  assert.deepEqual(balancing.ejected, [A]);
});

test('an ejected endpoint comes back when its time is over', () => {
  const balancing = new Balancing([A, B], { slowStartMs: 0 });
  balancing.at(A, false, 5);
  balancing.clock.pass(29_900);
  assert.deepEqual(served(balancing), [B]);
  balancing.clock.pass(200);
  assert.deepEqual(served(balancing), [A, B]);
  assert.deepEqual(balancing.events.slice(1), [{ type: 'EndpointRestored', endpoint: A }]);
});

test('who comes back may fail again as often', () => {
  const balancing = new Balancing([A, B]);
  balancing.at(A, false, 5);
  balancing.clock.pass(30_000);
  balancing.at(A, false, 4);
  assert.deepEqual(balancing.ejected, [A]);
  balancing.at(A, false);
  assert.deepEqual(balancing.ejected, [A, A]);
});

function lastEjectionMs({ events }: Balancing): number {
  const event = events.at(-1);
  assert(event?.type === 'EndpointEjected');
  return event.forMs;
}

test('each ejection lasts longer until the longest', () => {
  const balancing = new Balancing([A, B]);
  const lasted = Array.from({ length: 12 }, () => {
    balancing.at(A, false, 5);
    const forMs = lastEjectionMs(balancing);
    balancing.clock.pass(forMs);
    balancing.look();
    return forMs / 1000;
  });
  assert.deepEqual(lasted, [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]);
});

for (const [healthyMs, forMs] of [
  [9_000, 90_000],
  [10_000, 60_000],
  [20_000, 30_000],
  [999_000, 30_000],
] as const)
  test(`after ${healthyMs} healthy ms an endpoint is ejected for ${forMs}`, () => {
    const balancing = new Balancing([A, B]);
    for (let time = 0; time < 2; time++) {
      balancing.at(A, false, 5);
      balancing.clock.pass(lastEjectionMs(balancing));
      balancing.look();
    }
    balancing.clock.pass(healthyMs);
    balancing.at(A, false, 5);
    assert.equal(lastEjectionMs(balancing), forMs);
  });

test('the last endpoint is never ejected', () => {
  const alone = new Balancing([A]);
  alone.at(A, false, 50);
  const two = new Balancing([A, B], { ejection: { maxEjectionPercent: 100 } });
  two.at(A, false, 5);
  two.at(B, false, 50);
  assert.deepEqual([alone.ejected, two.ejected], [[], [A]]);
});

for (const [maxEjectionPercent, most] of [
  [0, 1],
  [10, 1],
  [39, 1],
  [40, 2],
  [99, 4],
  [100, 4],
] as const)
  test(`no more than ${maxEjectionPercent} % are ejected, but one may be`, () => {
    const balancing = new Balancing(FIVE, { ejection: { maxEjectionPercent } });
    for (const url of FIVE) balancing.at(url, false, 9);
    assert.deepEqual(balancing.ejected, FIVE.slice(0, most));
  });

test('what began before an ejection says nothing after it', () => {
  const balancing = new Balancing([A, B], { ejection: { baseEjectionMs: 1000 } });
  const late = Array.from({ length: 20 }, () => balancing.pool.pick([], only(A)));
  balancing.at(A, false, 5);
  balancing.clock.pass(2000);
  balancing.look();
  for (const pick of late) if (pick) balancing.pool.settle(pick, false);
  assert.deepEqual(balancing.ejected, [A]);
});

test('most calls failing ejects though never in a row', () => {
  const balancing = new Balancing([A, B], { ejection: RATES_ONLY });
  busy(balancing, { [A]: 17, [B]: 0 }, 20);
  assert.deepEqual(balancing.events, [
    { type: 'EndpointEjected', endpoint: A, forMs: 30_000, reason: '85 % of its calls failed' },
  ]);
});

for (const [name, failed, calls] of [
  ['too few failures are', 16, 20],
  ['too few calls are', 19, 19],
] as const)
  test(`${name} no reason`, () => {
    const balancing = new Balancing([A, B], { ejection: RATES_ONLY });
    busy(balancing, { [A]: failed, [B]: 0 }, calls);
    assert.deepEqual(balancing.events, []);
  });

test('an outlier among equals is ejected', () => {
  const balancing = new Balancing(FIVE, { ejection: RATES_ONLY });
  busy(balancing, { ...each(FIVE, 2), [FOURTH]: 40 }, 100);
  const reason = '60 % of its calls succeeded, far fewer than elsewhere';
  assert.deepEqual(balancing.events, [{ type: 'EndpointEjected', endpoint: FOURTH, forMs: 30_000, reason }]);
});

for (const [name, endpoints, calls] of [
  ['endpoints', FIVE.slice(0, 4), 100],
  ['calls', FIVE, 99],
] as const)
  test(`with too few ${name} there is no outlier`, () => {
    const balancing = new Balancing(endpoints, { ejection: RATES_ONLY });
    busy(balancing, { ...each(endpoints, 0), [FOURTH]: 40 }, calls);
    assert.deepEqual(balancing.events, []);
  });

test('where all fail alike nobody is an outlier', () => {
  const balancing = new Balancing(FIVE, { ejection: RATES_ONLY });
  busy(balancing, each(FIVE, 50), 100);
  assert.deepEqual(balancing.events, []);
});

for (const policy of [{ failurePercentageThreshold: null }, { intervalMs: 1000 }])
  test(`nobody is judged with ${JSON.stringify(policy)}`, () => {
    // With an interval of 1 s, the 10 s that pass make the counts nine intervals old.
    const balancing = new Balancing([A, B], { ejection: { ...RATES_ONLY, ...policy } });
    busy(balancing, { [A]: 50, [B]: 0 }, 50);
    assert.deepEqual(balancing.events, []);
  });

test('counts are of one interval', () => {
  const balancing = new Balancing([A, B], { ejection: RATES_ONLY });
  for (let time = 0; time < 5; time++) busy(balancing, { [A]: 15, [B]: 0 }, 15);
  assert.deepEqual(balancing.events, []);
});

test('without a policy nobody is ejected', () => {
  const balancing = new Balancing([A, B], { ejection: null });
  balancing.at(A, false, 50);
  assert.deepEqual(balancing.events, []);
});

for (const [panicThreshold, expected] of [
  [0.5, FIVE],
  [0.4, FIVE.slice(3)],
  [0, FIVE.slice(3)],
] as const)
  test(`in a panic below ${panicThreshold} ejections are ignored`, () => {
    const ejection = { maxEjectionPercent: 100 };
    const balancing = new Balancing(FIVE, { algorithm: 'round_robin', ejection, panicThreshold });
    for (const url of FIVE.slice(0, 3)) balancing.at(url, false, 5);
    assert.deepEqual(served(balancing), expected);
  });

test('an ejected endpoint is better than none', () => {
  const balancing = new Balancing([A, B]);
  balancing.at(A, false, 5);
  assert.equal(balancing.attempt(true, { admits: only(A) }), A);
  assert.equal(balancing.attempt(true, { avoid: [B] }), B);
});

test('an update keeps ejections and forgets those who left', () => {
  const balancing = new Balancing([A, B, C], { slowStartMs: 0 });
  balancing.at(A, false, 5);
  balancing.update({ url: A, weight: 9 }, B, C);
  assert.deepEqual(served(balancing), [B, C]);
  balancing.update(B, C);
  balancing.update(A, B, C);
  assert.deepEqual(served(balancing), [A, B, C]);
});

test('an address is told without its user', () => {
  const secret = 'https://user:secret@a.test/base';
  const balancing = new Balancing([secret, B]);
  balancing.at(secret, false, 5);
  assert.deepEqual(balancing.ejected, ['https://a.test/base']);
});

for (const algorithm of ['p2c_ewma', 'round_robin', 'weighted', 'least_connections'] as const)
  for (const arrival of ['restored', 'new'])
    test(`who is ${arrival} gets its share slowly by ${algorithm}`, () => {
      const balancing = new Balancing([A, B], { algorithm });
      if (arrival === 'restored') {
        balancing.at(B, false, 5);
        // Its failures took no time, so that nothing but its weight speaks against it.
        balancing.clock.pass(30_000);
      } else {
        balancing.update(A);
        balancing.update(A, B);
      }
      for (const [passedMs, weight] of [
        [3000, 0.1],
        [12_000, 0.5],
        [15_000, 1],
      ] as const) {
        balancing.clock.pass(passedMs);
        assert(misfit(balancing.shares(4000), { [A]: 1, [B]: weight }) < 10.8);
      }
    });

test('the first endpoints start at once', () => {
  assert(misfit(new Balancing([A, B]).shares(4000), { [A]: 1, [B]: 1 }) < 10.8);
});

for (const [slowStartAggression, expected] of [
  [1, [0.1, 0.25, 0.5]],
  [2, [0.1825, 0.5, Math.SQRT1_2]],
  [0.5, [0.1, 0.1, 0.25]],
] as const)
  test(`an aggression of ${slowStartAggression} is Envoy's`, () => {
    const policy = resolveBalance({ slowStartAggression });
    for (const [index, ageMs] of [0, 7500, 15_000].entries())
      assert(Math.abs(ramp(policy, ageMs) - (expected[index] ?? 0)) < 1e-4);
    assert.equal(ramp(policy, 30_000), 1);
  });

test('a slow start may be none, or shorter than a second', () => {
  assert.equal(ramp(resolveBalance({ slowStartMs: 0 }), 0), 1);
  assert.equal(ramp(resolveBalance({ slowStartMs: 500 }), 0), 1);
});

const REFUSED: readonly BalancePolicy[] = [
  { algorithm: 'fastest' as 'weighted' }, // as JavaScript may say it
  { slowStartMs: -1 },
  { slowStartMs: Number.NaN },
  { slowStartAggression: 0 },
  { slowStartMinWeight: 1.5 },
  { panicThreshold: 2 },
];
const EJECTION_REFUSED: readonly EjectionPolicy[] = [
  { consecutiveFailures: 0 },
  { intervalMs: 0 },
  { baseEjectionMs: -5 },
  { maxEjectionPercent: 101 },
  { failurePercentageThreshold: 0 },
  { successRateStdevFactor: Number.NaN },
  { maxEjectionsMs: 1 } as EjectionPolicy, // a name that is none
];

for (const policy of [...REFUSED, ...EJECTION_REFUSED.map((ejection) => ({ ejection }))])
  test(`a policy that cannot work is refused: ${JSON.stringify(policy)}`, () => {
    const [name = ''] = Object.keys('ejection' in policy ? (policy.ejection ?? {}) : policy);
    assert.throws(
      () => resolveBalance(policy),
      (error: unknown) => error instanceof ConfigurationError && error.message.includes(name),
    );
  });

test('what is undefined is not given', () => {
  assert.deepEqual(resolveBalance({ slowStartMs: undefined as unknown as number }), resolveBalance());
});
