/** Refresh tokens: rotated, refused, lost, and never sent twice where that could end the session. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { APIKeyGrant, PasswordGrant, RefreshToken } from '../../src/runtime/auth/grants.js';
import { TokenError } from '../../src/runtime/errors.js';
import { Caller, failed, TokenServer } from './world.js';

const GRANTS = {
  'a password': () => new PasswordGrant({ username: 'u', password: 'p' }),
  'an API key': () => new APIKeyGrant({ apiKey: 'k' }),
};

for (const [name, grant] of Object.entries(GRANTS))
  describe(`a session that ${name} began`, () => {
    const connect = () => {
      const server = new TokenServer();
      return { server, caller: new Caller(server, { auth: grant() }, { maxRetries: 0 }) };
    };

    test('uses each refresh token once', async () => {
      const { server, caller } = connect();
      await caller.read();
      await caller.later();
      await caller.later();
      assert.deepEqual(server.ways, ['sign-in', 'renew', 'renew']);
      assert.deepEqual(
        server.requests.slice(1).map(({ members }) => members),
        [{ refresh_token: 'refresh-1' }, { refresh_token: 'refresh-2' }],
      );
      assert.equal(server.reused, false);
    });

    test('uses one again that is not rotated', async () => {
      const { server, caller } = connect();
      server.rotates = false;
      await caller.read();
      await caller.later();
      await caller.later();
      assert.deepEqual(server.ways, ['sign-in', 'renew', 'renew']);
      assert.deepEqual(server.requests[2]?.members, { refresh_token: 'refresh-1' });
    });

    test('begins anew where it is refused', async () => {
      const { server, caller } = connect();
      await caller.read();
      server.refreshTokens.clear();
      await caller.later();
      await caller.later();
      assert.deepEqual(server.ways, ['sign-in', 'renew', 'sign-in', 'renew']);
    });

    for (const trouble of [failed('UND_ERR_SOCKET'), new Response(null, { status: 502 })])
      test(`does not send one again after an answer that got lost: ${trouble.constructor.name}`, async () => {
        const { server, caller } = connect();
        await caller.read();
        server.trouble = [trouble];
        await assert.rejects(caller.later(), TokenError);
        await caller.read();
        assert.deepEqual(server.ways, ['sign-in', 'renew', 'sign-in']);
        assert.equal(server.reused, false);
      });

    for (const trouble of [failed('ECONNREFUSED'), new Response(null, { status: 429 })])
      test(`sends one again that nobody read: ${trouble.constructor.name}`, async () => {
        const { server, caller } = connect();
        await caller.read();
        server.trouble = [trouble];
        await assert.rejects(caller.later(), TokenError);
        await caller.read();
        assert.deepEqual(server.ways, ['sign-in', 'renew', 'renew']);
      });
  });

describe('a session that began elsewhere', () => {
  test('tells every new token before it is used', async () => {
    const server = new TokenServer();
    const told: unknown[] = [];
    const onToken = (token: { readonly refreshToken?: string }) =>
      told.push([token.refreshToken, [...server.used]]);
    const caller = new Caller(server, { auth: new RefreshToken({ refreshToken: 'refresh-0', onToken }) });
    await caller.read();
    await caller.later();
    assert.deepEqual(told, [
      ['refresh-1', []],
      ['refresh-2', ['access-1']],
    ]);
  });

  test('does not lose one that could not be told', async () => {
    const server = new TokenServer();
    const onToken = async ({ refreshToken }: { readonly refreshToken?: string }) => {
      if (refreshToken === 'refresh-1') throw new RangeError('the disk is full');
    };
    const caller = new Caller(server, { auth: new RefreshToken({ refreshToken: 'refresh-0', onToken }) });
    await assert.rejects(caller.read(), /disk/);
    await caller.read();
    assert.deepEqual(server.requests.at(-1)?.members, { refresh_token: 'refresh-1' });
  });

  test('leaves a refusal to the caller', async () => {
    const server = new TokenServer();
    server.refreshTokens.clear();
    const caller = new Caller(server, { auth: new RefreshToken({ refreshToken: 'refresh-0' }) });
    await assert.rejects(
      caller.read(),
      (error: unknown) => error instanceof TokenError && error.error === 'invalid_grant',
    );
  });

  test('sends what it has again after an answer that got lost', async () => {
    const server = new TokenServer();
    server.trouble = [failed('UND_ERR_SOCKET')];
    const caller = new Caller(server, { auth: new RefreshToken({ refreshToken: 'refresh-0' }) });
    await caller.read();
    assert.deepEqual(server.ways, ['renew', 'renew']);
  });
});
