/** Wherever tokens come from: obtained once, renewed in time, renewed once after a refusal. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seriesBody } from '../../src/runtime/encoding/content.js';
import { AuthenticationError, TokenError } from '../../src/runtime/errors.js';
import { Caller, failed, LIFETIME_MS, READ, SOURCES, TokenServer } from './world.js';

for (const [name, source] of Object.entries(SOURCES))
  describe(`tokens of ${name}`, () => {
    const connect = (maxRetries = 0) => {
      const server = new TokenServer();
      return { server, caller: new Caller(server, source(server), { maxRetries }) };
    };
    const together = (caller: Caller) => Promise.all(Array.from({ length: 50 }, () => caller.read()));

    test('one serves many calls', async () => {
      const { server, caller } = connect();
      for (let time = 0; time < 3; time++) await caller.read();
      assert.deepEqual(server.used, ['access-1', 'access-1', 'access-1']);
      assert.equal(server.requests.length, 1);
    });

    test('nothing is obtained before it is needed', () => {
      assert.equal(connect().server.requests.length, 0);
    });

    test('it is renewed before it ends', async () => {
      const { server, caller } = connect();
      await caller.read();
      caller.clock.pass(LIFETIME_MS - 121_000); // the margin is 60 s, doubled at most by the jitter
      await caller.read();
      caller.clock.pass(62_000);
      await caller.read();
      assert.deepEqual(server.used, ['access-1', 'access-1', 'access-2']);
    });

    test('one without an end is held until it is refused', async () => {
      const { server, caller } = connect();
      server.lifetimeMs = undefined;
      await caller.read();
      caller.clock.pass(1e12);
      await caller.read();
      server.valid.clear();
      await caller.read();
      assert.deepEqual(server.used, ['access-1', 'access-1', 'access-1', 'access-2']);
    });

    test('a refused one is renewed and the call made again, which is no retry', async () => {
      const { server, caller } = connect();
      await caller.read();
      server.valid.clear();
      await caller.read();
      assert.deepEqual(server.used, ['access-1', 'access-1', 'access-2']);
      assert.deepEqual(caller.clock.waited, []);
    });

    test("a second refusal is the caller's", async () => {
      const { server, caller } = connect();
      await caller.read();
      server.isStrict = true;
      await assert.rejects(caller.read(), AuthenticationError);
      assert.deepEqual(server.used, ['access-1', 'access-1', 'access-2']);
    });

    test('a body that cannot be sent again still tells of the refusal', async () => {
      const { server, caller } = connect();
      await caller.read();
      server.valid.clear();
      const once = seriesBody([new Uint8Array(3)].values(), (item) => item as Uint8Array);
      for await (const _ of once.chunks()); // as the first attempt does
      await assert.rejects(caller.read(READ, {}, once), AuthenticationError);
      await caller.read();
      assert.deepEqual(server.used, ['access-1', 'access-1', 'access-2']);
    });

    test('a renewal that fails early does no harm', async () => {
      const { server, caller } = connect();
      await caller.read();
      server.trouble = [failed('ECONNREFUSED')];
      caller.clock.pass(LIFETIME_MS - 50_000);
      await caller.read();
      await caller.read();
      assert.deepEqual(server.used, ['access-1', 'access-1', 'access-1']);
      assert.equal(server.requests.length, 2, 'not asked again by every call');
      caller.clock.pass(26_000);
      await caller.read();
      assert.equal(server.used.at(-1), 'access-2');
    });

    test('without a token nothing is sent', async () => {
      const { server, caller } = connect(1);
      server.trouble = [failed('ECONNREFUSED'), failed('ECONNREFUSED')];
      await assert.rejects(caller.read(), (error: unknown) => {
        if (error instanceof RangeError) return true; // what a function throws is not for us to repeat
        assert(error instanceof TokenError);
        assert.match(error.message, /could not be asked \(connect\)/);
        assert(error.cause instanceof Error);
        assert.equal(server.requests.length, 2, 'a failed connection is a failed attempt');
        return true;
      });
      assert.deepEqual(server.used, []);
      await caller.read();
      assert.deepEqual(server.used, ['access-1']);
    });

    test('fifty callers obtain one', async () => {
      const { server, caller } = connect();
      await together(caller);
      assert.deepEqual(new Set(server.used), new Set(['access-1']));
      assert.equal(server.requests.length, 1);
    });

    test('fifty refused callers renew once', async () => {
      const { server, caller } = connect();
      await caller.read();
      server.valid.clear();
      await together(caller);
      assert.equal(server.requests.length, 2);
      assert.equal(server.reused, false);
    });

    test('one that is aborted does not take it from the others', async () => {
      const { server, caller } = connect();
      const controller = new AbortController();
      const leaving = caller.read(READ, { signal: controller.signal });
      const staying = caller.read();
      controller.abort(new Error('gone'));
      await assert.rejects(leaving, /gone/);
      await staying;
      assert.deepEqual([server.used, server.requests.length], [['access-1'], 1]);
    });

    test('a call that brings its own Authorization needs none', async () => {
      const { server, caller } = connect();
      server.valid.add('mine');
      await caller.read(READ, { extraHeaders: { Authorization: 'Bearer mine' } });
      assert.deepEqual([server.used, server.requests], [['mine'], []]);
    });

    test('an open operation needs none', async () => {
      const { server, caller } = connect();
      await assert.rejects(caller.read({ ...READ, security: [] }), AuthenticationError);
      assert.deepEqual([server.used, server.requests], [[''], []]);
    });
  });
