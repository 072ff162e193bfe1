/** When a token is renewed, and by whom. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RenewedToken, type Token } from '../../src/runtime/auth/tokens.js';
import { Clock } from '../clock.js';

const NOBODY = { send: () => Promise.reject(new Error('nothing is sent to fetch this')) };

/** token-1, token-2, ..., each after what a test wants to happen meanwhile. */
class World {
  readonly clock: Clock;
  readonly source: RenewedToken;
  obtained = 0;
  meanwhile: () => unknown = () => {};

  constructor({ lifetimeMs, random = 0.5 }: { lifetimeMs?: number; random?: number } = {}) {
    this.clock = new Clock(random);
    this.source = new RenewedToken(async (): Promise<Token> => {
      const number = ++this.obtained;
      await this.meanwhile();
      return { value: `token-${number}`, expiresInMs: lifetimeMs };
    }, this.clock);
  }

  readonly fetch = (): Promise<string> => this.source.fetch(NOBODY);

  readyIn(ms: number): string | undefined {
    return this.source.ready(this.clock.now() + ms);
  }
}

function fail(): never {
  throw new Error('down');
}

describe('callers', () => {
  test('share one renewal', async () => {
    const { fetch, ...world } = new World();
    const tokens = await Promise.all(Array.from({ length: 50 }, fetch));
    assert.deepEqual(new Set(tokens), new Set(['token-1']));
    assert.equal(world.source.ready(world.clock.now()), 'token-1');
  });

  test('share one failure', async () => {
    const world = new World();
    world.meanwhile = fail;
    const ends = await Promise.allSettled(Array.from({ length: 50 }, world.fetch));
    assert.equal(new Set(ends.map((end) => end.status === 'rejected' && end.reason)).size, 1);
    assert.equal(world.obtained, 1);
    world.meanwhile = () => {};
    assert.equal(await world.fetch(), 'token-2');
  });

  test('go on with what there is while one renews early', async () => {
    const world = new World({ lifetimeMs: 1_000_000 });
    await world.fetch();
    world.clock.pass(950_000);
    assert.equal(world.readyIn(0), undefined);
    const meanwhile: (string | undefined)[] = [];
    world.meanwhile = async () => {
      meanwhile.push(world.readyIn(0), await world.fetch());
    };
    assert.equal(await world.fetch(), 'token-2');
    assert.deepEqual(meanwhile, ['token-1', 'token-1']);
  });

  test('are not kept from renewing by what fails at once', async () => {
    const world = new World();
    const source = new RenewedToken(fail, world.clock);
    await assert.rejects(source.fetch(NOBODY), /down/);
    await assert.rejects(source.fetch(NOBODY), /down/);
  });
});

describe('time', () => {
  for (const [lifetimeMs, random, renewedAfterMs] of [
    [3_600_000, 0, 3_540_000], // min(60 s, an hour / 10) before the end
    [3_600_000, 0.5, 3_510_000],
    [100_000, 0, 90_000], // min(60 s, 100 s / 10)
    [100_000, 1, 80_000],
  ] as const)
    test(`of ${lifetimeMs} ms with ${random} is renewed after ${renewedAfterMs}`, async () => {
      const world = new World({ lifetimeMs, random });
      await world.fetch();
      assert.equal(world.readyIn(renewedAfterMs - 1), 'token-1');
      assert.equal(world.readyIn(renewedAfterMs), undefined);
    });

  test('begins when the token was asked for', async () => {
    const world = new World({ lifetimeMs: 100_000, random: 0 });
    world.meanwhile = () => world.clock.pass(30_000);
    await world.fetch();
    assert.equal(world.readyIn(59_999), 'token-1');
    assert.equal(world.readyIn(60_000), undefined);
  });

  test('may be none: then it is used by those who waited for it', async () => {
    const world = new World({ lifetimeMs: 0 });
    assert.equal(await world.fetch(), 'token-1');
    assert.equal(world.readyIn(0), undefined);
  });
});

describe('a refusal', () => {
  test('is of the token that is held', async () => {
    const world = new World();
    world.source.refused(await world.fetch());
    assert.equal(world.readyIn(0), undefined);
    assert.equal(await world.fetch(), 'token-2');
  });

  test('may be of one that somebody has renewed since', async () => {
    const world = new World();
    const old = await world.fetch();
    world.source.refused(old);
    await world.fetch();
    world.source.refused(old);
    assert.equal(world.readyIn(0), 'token-2');
  });

  test('holds however the renewal ends', async () => {
    const world = new World({ lifetimeMs: 1_000_000 });
    world.source.refused(await world.fetch());
    world.meanwhile = fail;
    await assert.rejects(world.fetch(), /down/);
  });
});
