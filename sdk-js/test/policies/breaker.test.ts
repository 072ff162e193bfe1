/** When calls are refused here, and when they are let through again. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Admitted,
  type Breaker,
  type BreakerPolicy,
  type BreakerState,
  breakerOf,
  breakersOf,
  resolveBreaker,
} from '../../src/runtime/policies/breaker.js';
import type { Outcome } from '../../src/runtime/wire.js';
import { Clock, seeded } from '../clock.js';
import { answer, LOST, OK } from '../flow/world.js';

const URL = 'https://a.test';
const ELSEWHERE = 'https://b.test';

/** One breaker, its clock, and what it told. */
class Watched {
  readonly clock = new Clock();
  readonly states: string[] = [];
  readonly breaker: Breaker;
  listen = (state: BreakerState) => {
    this.states.push(state);
  };

  constructor(policy: BreakerPolicy) {
    const whole = resolveBreaker({ failures: 1000, halfOpenCalls: 1, ...policy });
    this.breaker = breakerOf(whole, this.clock.now, (state) => this.listen(state));
  }

  calls(failed: boolean | undefined, times = 1): void {
    for (let call = 0; call < times; call++) {
      const settle = this.breaker.admit();
      assert.ok(settle);
      settle(failed);
    }
  }

  get open(): boolean {
    const settle = this.breaker.admit();
    settle?.(undefined);
    return !settle;
  }
}

describe('the rate', () => {
  test('it opens where more than the share fails', () => {
    const watched = new Watched({ failureRate: 0.5, minCalls: 10 });
    for (let pair = 0; pair < 5; pair++) {
      watched.calls(false);
      watched.calls(true);
    }
    assert.equal(watched.open, false);
    watched.calls(true);
    assert.equal(watched.open, true);
  });

  test('too few calls tell nothing', () => {
    const watched = new Watched({ failureRate: 0.5, minCalls: 10 });
    watched.calls(true, 9);
    assert.equal(watched.open, false);
  });

  test('what is older than the window is forgotten', () => {
    const watched = new Watched({ failureRate: 0.5, minCalls: 10, windowMs: 10_000 });
    watched.calls(true, 9);
    watched.clock.pass(11_000);
    watched.calls(true, 9);
    assert.equal(watched.open, false);
  });

  test('after closing the count begins anew', () => {
    const watched = new Watched({ failureRate: 0.5, minCalls: 10, openMs: 1000 });
    watched.calls(true, 10);
    watched.clock.pass(1000);
    watched.calls(false);
    watched.calls(true, 9);
    assert.deepEqual(watched.states, ['open', 'half_open', 'closed']);
  });
});

describe('half open', () => {
  const opened = () => {
    const watched = new Watched({ failures: 3, openMs: 5000, halfOpenCalls: 3 });
    watched.calls(true, 3);
    watched.clock.pass(5000);
    return watched;
  };

  test('so many trials may be under way at once', () => {
    const { breaker } = opened();
    const admitted = [1, 2, 3, 4].map(() => breaker.admit() !== undefined);
    assert.deepEqual(admitted, [true, true, true, false]);
    assert.equal(breaker.refusesForMs(), 5000);
  });

  test('so many successes close it', () => {
    const watched = opened();
    watched.calls(false, 2);
    assert.equal(watched.states.at(-1), 'half_open');
    watched.calls(false);
    assert.equal(watched.states.at(-1), 'closed');
  });

  test('one failure opens it again', () => {
    const watched = opened();
    watched.calls(false);
    watched.calls(true);
    assert.equal(watched.open, true);
    assert.equal(watched.breaker.refusesForMs(), 5000);
  });

  test('a trial that was given up makes room', () => {
    const watched = opened();
    watched.calls(undefined, 4);
    assert.equal(watched.open, false);
  });

  test('an outcome from before says nothing', () => {
    const watched = new Watched({ failures: 3, openMs: 5000 });
    const early = watched.breaker.admit();
    watched.calls(true, 3);
    early?.(false);
    assert.equal(watched.open, true);
  });
});

test('refusals of the caller leave it alone', () => {
  const watched = new Watched({ failures: 3, minCalls: 3 });
  watched.calls(undefined, 50);
  assert.equal(watched.open, false);
});

test('who listens may use the breaker', () => {
  const watched = new Watched({ failures: 1 });
  watched.listen = (state) => watched.states.push(`${state} ${watched.breaker.admit()}`);
  watched.calls(true);
  assert.deepEqual(watched.states, ['open undefined']);
});

test('whatever happens, it opens at the failure that is one too many, and lets no more trials through than allowed', () => {
  const random = seeded(3);
  const draw = (most: number) => 1 + Math.floor(random() * most);
  for (let history = 0; history < 300; history++) {
    const [failures, halfOpenCalls] = [draw(4), draw(3)];
    const watched = new Watched({ failures, halfOpenCalls, failureRate: 1, openMs: 1000 });
    // The same, the plain way: what is under way since the last change, and what came of it in a row.
    let [state, inRow, openedAt] = ['closed', 0, 0];
    let underWay: Admitted[] = [];
    const become = (next: string) => {
      [state, inRow, openedAt, underWay] = [next, 0, watched.clock.now(), []];
    };
    for (let step = 0; step < 100; step++) {
      const kind = random();
      if (kind < 0.4) {
        const due = watched.clock.now() - openedAt >= 1000;
        const free = state === 'closed' || (state === 'open' ? due : underWay.length < halfOpenCalls);
        const settle = watched.breaker.admit();
        assert.equal(!!settle, free);
        if (state === 'open' && free) become('half_open');
        if (settle) underWay.push(settle);
      } else if (kind < 0.9) {
        const settle = underWay.shift();
        const failed = [true, true, false, undefined][draw(4) - 1];
        if (!settle) continue;
        settle(failed);
        if (state === 'closed') inRow = failed ? inRow + 1 : failed === false ? 0 : inRow;
        else if (failed === false) inRow++;
        if (failed && (state === 'half_open' || inRow >= failures)) become('open');
        else if (state === 'half_open' && inRow >= halfOpenCalls) become('closed');
      } else watched.clock.pass(random() * 1500);
      assert.equal(watched.states.at(-1) ?? 'closed', state);
    }
  }
});

describe('the breakers of a client', () => {
  const made = (policy: BreakerPolicy | null = { failures: 3 }) => {
    const told: [string, string][] = [];
    const breakers = breakersOf(policy, new Clock().now, (name, state) => told.push([name, state]));
    const fail = (operation: string, outcome: Outcome, times = 3) => {
      for (let call = 0; call < times; call++) {
        const settle = breakers.admit(URL, operation);
        assert.ok(settle);
        settle(outcome);
      }
    };
    return { breakers, told, fail };
  };

  for (const status of [500, 501])
    test(`an operation that fails closes no way but its own: ${status}`, () => {
      const { breakers, told, fail } = made();
      fail('corpus.search', answer(status));
      assert.equal(breakers.admit(URL, 'corpus.search'), undefined);
      assert.ok(breakers.admit(URL, 'corpus.stats'));
      assert.deepEqual(told, [[`corpus.search at ${URL}`, 'open']]);
    });

  for (const [name, outcome] of [
    ['lost', LOST],
    ...[502, 503, 504].map((status) => [`${status}`, answer(status)] as const),
  ] as const)
    test(`an endpoint that is gone closes all of them: ${name}`, () => {
      const { breakers, told, fail } = made();
      fail('corpus.search', outcome, 2);
      fail('corpus.stats', outcome, 1);
      assert.equal(breakers.admit(URL, 'analysis.run'), undefined);
      assert.ok(breakers.admit(ELSEWHERE, 'analysis.run'));
      assert.deepEqual(told, [[URL, 'open']]);
    });

  test('endpoints that are gone are forgotten', () => {
    const { breakers, fail } = made();
    fail('corpus.search', LOST);
    const underWay = breakers.admit(ELSEWHERE, 'corpus.search');
    breakers.forget([URL]);
    assert.ok(breakers.admit(URL, 'corpus.search'));
    breakers.forget([ELSEWHERE]);
    underWay?.(LOST);
    assert.equal(breakers.refusesForMs(ELSEWHERE, 'corpus.search'), 0);
  });

  test('refused by one, it holds no place in the other', () => {
    const { breakers, fail } = made();
    fail('corpus.search', answer(500));
    for (let call = 0; call < 10; call++) assert.equal(breakers.admit(URL, 'corpus.search'), undefined);
    fail('corpus.stats', OK, 1);
    assert.equal(breakers.refusesForMs(URL, 'corpus.stats'), 0);
  });

  test('a moved answer is a success', () => {
    const { breakers, fail } = made();
    fail('corpus.search', LOST, 2);
    fail('corpus.search', answer(302), 1);
    fail('corpus.search', LOST, 2);
    assert.ok(breakers.admit(URL, 'corpus.search'));
  });

  test('null lets everything through', () => {
    const { breakers, fail } = made(null);
    fail('corpus.search', LOST, 1000);
    assert.ok(breakers.admit(URL, 'corpus.search'));
  });
});
