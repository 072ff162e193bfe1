/** No secret is ever shown: every error, event, log line and object of a client is searched. */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { inspect } from 'node:util';
import type { AuthOptions } from '../../src/runtime/auth/given.js';
import {
  APIKeyGrant,
  ClientCredentials,
  PasswordGrant,
  RefreshToken,
} from '../../src/runtime/auth/grants.js';
import type { ApiSpec } from '../../src/runtime/call.js';
import { APIClient } from '../../src/runtime/client.js';
import { jsonBody } from '../../src/runtime/encoding/json.js';
import type { Fetch } from '../../src/runtime/transport/over-fetch.js';
import { Clock } from '../clock.js';
import '../loaded.js';
import { API, failed, READ } from './world.js';

const canary = (name: string) => `canary-${name}-7Qx`;

const SAMPLE: ApiSpec = {
  ...API,
  schemes: [
    ...(API.schemes ?? []),
    { key: 'queryKey', kind: 'api_key', in: 'query', parameter: 'key' },
    { key: 'cookieKey', kind: 'api_key', in: 'cookie', parameter: 'key' },
    { key: 'basic', kind: 'basic' },
  ],
};
const WRITE = {
  ...READ,
  method: 'POST',
  retry: 'keyed',
  bodies: [jsonBody(['value'])],
  security: [['bearer', 'queryKey'], ['bearer'], ['basic'], ['queryKey'], ['cookieKey']],
} as const;

const GIVEN: Readonly<Record<string, () => AuthOptions>> = {
  'a key and a token': () => ({ apiKey: canary('key'), token: canary('token') }),
  'credentials by scheme': () => ({
    credentials: { queryKey: canary('key'), basic: ['u', canary('password')] },
  }),
  'a cookie': () => ({ credentials: { cookieKey: canary('key') } }),
  'HTTP basic': () => ({ username: 'u', password: canary('password') }),
  'a function': () => ({ token: () => ({ value: canary('token'), expiresInMs: 60_000 }) }),
  'a client': () => ({
    auth: new ClientCredentials({
      clientId: 'c',
      clientSecret: canary('client'),
      extra: { x: canary('extra') },
    }),
  }),
  'a client by post': () => ({
    auth: new ClientCredentials({ clientId: 'c', clientSecret: canary('client'), clientAuth: 'post' }),
  }),
  'a refresh token': () => ({
    auth: new RefreshToken({
      refreshToken: canary('refresh'),
      clientId: 'c',
      clientSecret: canary('client'),
    }),
  }),
  'a password': () => ({ auth: new PasswordGrant({ username: 'u', password: canary('password') }) }),
  'an API key': () => ({ auth: new APIKeyGrant({ apiKey: canary('key') }) }),
};

const ENDINGS: Readonly<Record<string, () => Response | Error>> = {
  'a success': () => Response.json({}),
  'no JSON': () => new Response('<', { headers: { 'content-type': 'application/json' } }),
  'a 401': () => Response.json({ title: 'Unauthorized' }, { status: 401 }),
  'a 429': () => new Response(null, { status: 429, headers: { 'retry-after': '1' } }),
  'a 500': () => new Response(null, { status: 500 }),
  'a refused connection': () => failed('ECONNREFUSED'),
  'a connection that broke': () => failed('UND_ERR_SOCKET'),
};

/** What everybody could come to see of two calls, the API ending each in a way, the token endpoint likewise. */
async function shown(options: AuthOptions, ending: () => Response | Error, tokens: () => Response | Error) {
  const texts: string[] = [];
  const show = (...things: readonly unknown[]) => {
    for (const thing of things)
      texts.push(inspect(thing, { depth: 20 }), String(thing), JSON.stringify(thing) ?? '');
  };
  const fetch: Fetch = async (url) => {
    const met = /documents/.test(url) ? ending() : tokens();
    if (met instanceof Error) throw met;
    return met;
  };
  const error = mock.method(console, 'error', show);
  try {
    const clock = new Clock(0.5);
    clock.environment.SAMPLE_LOG = 'debug';
    const given = { ...options, baseURL: `https://user:${canary('user')}@api.sample.test/base` };
    const client = new APIClient(SAMPLE, { ...given, fetch, onEvent: show, surroundings: { ...clock } });
    show(client);
    for (let time = 0; time < 2; time++)
      await clock
        .finish(
          Promise.resolve(
            client.call(
              WRITE,
              { value: canary('body') },
              {
                extraHeaders: { 'X-Own': canary('header') },
                extraQuery: { own: canary('query') },
                idempotencyKey: canary('idempotency'),
              },
            ),
          ),
        )
        .then(show, show);
  } finally {
    error.mock.restore();
  }
  return texts;
}

const TOKENS = () =>
  Response.json({ access_token: canary('access'), refresh_token: canary('rotated'), expires_in: 60 });
/** A token endpoint that repeats what it was sent. */
const ECHO = () =>
  Response.json(
    {
      error: 'invalid_grant',
      error_description: ['client', 'extra', 'refresh', 'password', 'key'].map(canary).join(' '),
    },
    { status: 400 },
  );

for (const [name, given] of Object.entries(GIVEN))
  test(`${name}: no secret is shown, however a call ends`, async () => {
    for (const [ended, ending] of Object.entries(ENDINGS)) {
      const texts = await shown(given(), ending, TOKENS);
      assert(texts.length > 10);
      for (const text of texts) assert.doesNotMatch(text, /canary/, ended);
    }
  });

for (const name of ['a client', 'a client by post', 'a refresh token', 'a password', 'an API key'])
  test(`${name}: no secret is shown that a token endpoint repeats`, async () => {
    const texts = (await shown(GIVEN[name]?.() ?? {}, ENDINGS['a 500'] ?? TOKENS, ECHO)).filter(
      // Only what was sent can be known for a secret.
      (text) => /canary/.test(text),
    );
    const sent = {
      'a refresh token': ['refresh', 'client'],
      'a password': ['password'],
      'an API key': ['key'],
    };
    const secrets = sent[name as keyof typeof sent] ?? ['client'];
    for (const text of texts)
      for (const secret of secrets) assert(!text.includes(canary(secret)), `${secret} in ${text}`);
  });
