/** What goes to a token endpoint, and what is made of its answers. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  APIKeyGrant,
  ClientCredentials,
  type ClientCredentialsOptions,
  type Grant,
  PasswordGrant,
  RefreshToken,
} from '../../src/runtime/auth/grants.js';
import type { Token } from '../../src/runtime/auth/tokens.js';
import { ConfigurationError, TokenError } from '../../src/runtime/errors.js';
import { API, BASE_URL, Caller, DISCOVERY_URL, READ, type Sent, TOKEN_URL, TokenServer } from './world.js';

const SECRET = 's3cr:t ünd';
const OIDC = { ...API, schemes: [{ key: 'bearer', kind: 'bearer', discoveryURL: DISCOVERY_URL }] } as const;

function client(more: Partial<ClientCredentialsOptions> = {}): ClientCredentials {
  return new ClientCredentials({ clientId: 'reader', clientSecret: SECRET, ...more });
}

/** The token request that one call leads to. */
async function asked(auth: Grant, api = API): Promise<Sent> {
  const server = new TokenServer();
  await new Caller(server, { auth }, { api }).read();
  const last = server.requests.at(-1);
  assert(last);
  return last;
}

describe('a token request', () => {
  test('proves the client by basic', async () => {
    const sent = await asked(client({ scopes: ['a:read', 'b:read'], extra: { audience: 'x' } }));
    assert.equal(sent.url, TOKEN_URL);
    assert.deepEqual(sent.members, {
      grant_type: 'client_credentials',
      scope: 'a:read b:read',
      audience: 'x',
    });
    const [kind, pair = ''] = (sent.headers.get('authorization') ?? '').split(' ');
    // Both halves as a form would have them (RFC 6749, section 2.3.1), so that the colon divides.
    assert.deepEqual([kind, atob(pair)], ['Basic', 'reader:s3cr%3At+%C3%BCnd']);
    assert.equal(sent.headers.get('user-agent'), 'sample-client/1.2.3');
  });

  test('or by post', async () => {
    const sent = await asked(client({ clientAuth: 'post' }));
    assert.equal(sent.headers.has('authorization'), false);
    assert.deepEqual(sent.members, {
      grant_type: 'client_credentials',
      client_id: 'reader',
      client_secret: SECRET,
    });
  });

  test('says of a public client only who it is', async () => {
    const auth = new RefreshToken({ refreshToken: 'refresh-0', clientId: 'cli', tokenURL: TOKEN_URL });
    const sent = await asked(auth);
    assert.equal(sent.headers.has('authorization'), false);
    assert.deepEqual(sent.members, {
      grant_type: 'refresh_token',
      refresh_token: 'refresh-0',
      client_id: 'cli',
    });
  });

  test('is in the words of the API', async () => {
    const sent = await asked(new PasswordGrant({ username: 'u', password: 'p', scopes: ['a', 'b'] }));
    assert.equal(sent.url, `${BASE_URL}/sign-in`);
    assert.deepEqual(sent.members, {
      grant_type: 'password',
      username: 'u',
      password: 'p',
      scopes: ['a', 'b'],
    });
  });

  test('goes where discovery tells, which is asked once', async () => {
    const server = new TokenServer();
    server.lifetimeMs = 0;
    const caller = new Caller(server, { auth: client() }, { api: OIDC });
    assert.equal(server.requests.length, 0);
    await caller.read();
    await caller.read();
    assert.deepEqual(server.ways, [DISCOVERY_URL, TOKEN_URL, TOKEN_URL]);
    assert.equal(server.requests.at(-1)?.members.client_secret, SECRET);
  });

  test('does not go where discovery leads to plain http', async () => {
    const server = new TokenServer();
    server.trouble = [Response.json({ token_endpoint: 'http://auth.test/token' })];
    const caller = new Caller(server, { auth: client() }, { api: OIDC });
    await assert.rejects(caller.read(), /auth\.test names no token endpoint that is reached by https/);
  });

  test('does not follow a redirect', async () => {
    const server = new TokenServer();
    server.trouble = [new Response(null, { status: 307, headers: { location: 'https://evil.test/' } })];
    const caller = new Caller(server, { auth: client() });
    await assert.rejects(caller.read(), /answered 307, a redirect, which is not followed/);
    assert.deepEqual(server.ways, [TOKEN_URL]);
  });
});

describe('secrets', () => {
  for (const tokenURL of [
    'https://auth.test/t',
    'http://localhost:9/t',
    'http://127.0.0.1/t',
    'http://[::1]/t',
  ])
    test(`go by https or stay here: ${tokenURL}`, async () => {
      assert.equal((await asked(client({ tokenURL }))).url, tokenURL);
    });

  for (const tokenURL of [
    'http://auth.test/t',
    'ftp://auth.test/t',
    'auth.test/t',
    'http://127.0.0.1.evil.test/t',
  ])
    test(`and nowhere else: ${tokenURL}`, async () => {
      await assert.rejects(asked(client({ tokenURL })), (error: unknown) => {
        assert(error instanceof ConfigurationError);
        assert.match(error.message, /secrets go by https/);
        assert.doesNotMatch(error.message, /s3cr/);
        return true;
      });
    });

  for (const auth of [client(), new APIKeyGrant({ apiKey: 'k' })])
    test(`have nowhere to go where the API does not say: ${auth.kind}`, async () => {
      const api = { ...API, schemes: [{ key: 'bearer', kind: 'bearer' }] } as const;
      await assert.rejects(asked(auth, api), /does not say where/);
    });
});

describe('an answer', () => {
  const refusals: readonly [() => Response, string, string][] = [
    [
      () => Response.json({ error: 'invalid_client', error_description: 'Who\nis this?' }, { status: 401 }),
      'invalid_client',
      'auth.test answered 401: invalid_client: Who is this?',
    ],
    [
      () => Response.json({ title: 'Forbidden', detail: 'Not from here.' }, { status: 403 }),
      '',
      'auth.test answered 403: Forbidden: Not from here',
    ],
    [() => new Response(null, { status: 404 }), '', 'auth.test answered 404: Not Found'],
    [() => new Response('<html>'), '', 'auth.test did not answer with a JSON object'],
    [() => Response.json([]), '', 'auth.test did not answer with a JSON object'],
    [() => Response.json({}), '', 'auth.test answered without access_token'],
    [
      () => Response.json({ access_token: 'x', token_type: 'mac' }),
      '',
      'auth.test answered with one that is not a bearer token',
    ],
    [
      () => Response.json({ access_token: 'x\n' }),
      '',
      'auth.test answered with one that no header can carry',
    ],
  ];
  for (const [response, error, shown] of refusals)
    test(`that refuses is told at once: ${shown}`, async () => {
      const server = new TokenServer();
      server.trouble = [response()];
      await assert.rejects(new Caller(server, { auth: client() }).read(), (raised: unknown) => {
        assert(raised instanceof TokenError);
        assert.deepEqual([raised.error, raised.message], [error, `no access token: ${shown}`]);
        return true;
      });
      assert.equal(server.requests.length, 1);
    });

  test('that repeats a secret is not repeated', async () => {
    const server = new TokenServer();
    const said = { error: 'invalid_client', error_description: `${SECRET} is wrong` };
    server.trouble = [Response.json(said, { status: 400 })];
    await assert.rejects(
      new Caller(server, { auth: client() }).read(),
      (error: unknown) => error instanceof TokenError && error.description === '*** is wrong',
    );
  });

  for (const status of [429, 500, 502, 503, 504])
    test(`of ${status} is trouble that passes, and a failed attempt`, async () => {
      const server = new TokenServer();
      server.trouble = [new Response(null, { status })];
      const caller = new Caller(server, { auth: client() });
      await caller.read({ ...READ, retry: 'never' }); // may go again, since nothing of it was sent
      assert.equal(caller.clock.waited.length, 1);
      assert.deepEqual(server.used, ['access-1']);
      assert.equal(server.requests.length, 2);
    });

  for (const [given, expiresInMs] of [
    [60, 60_000],
    ['60', 60_000],
    [null, undefined],
    ['soon', undefined],
    ['', undefined],
    [true, undefined],
    [-1, undefined],
    [[], undefined],
  ] as const)
    test(`has lifetimes as servers write them: ${JSON.stringify(given)}`, async () => {
      const server = new TokenServer();
      server.valid.add('x');
      server.trouble = [Response.json({ access_token: 'x', expires_in: given })];
      const tokens: Token[] = [];
      const auth = new RefreshToken({ refreshToken: 'r', onToken: (token) => tokens.push(token) });
      await new Caller(server, { auth }).read();
      assert.deepEqual(
        tokens.map((token) => token.expiresInMs),
        [expiresInMs],
      );
    });
});
