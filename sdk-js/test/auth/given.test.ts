/** What a client may be given to prove itself with, and what the environment may. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import type { AuthOptions } from '../../src/runtime/auth/given.js';
import {
  APIKeyGrant,
  ClientCredentials,
  PasswordGrant,
  RefreshToken,
} from '../../src/runtime/auth/grants.js';
import type { ProvidedToken } from '../../src/runtime/auth/provider.js';
import type { ApiSpec, Operation, SchemeSpec } from '../../src/runtime/call.js';
import { ConfigurationError } from '../../src/runtime/errors.js';
import { API, Caller, client, READ, TOKEN_URL, TokenServer } from './world.js';

const BASIC: SchemeSpec = { key: 'basic', kind: 'basic' };
const SCHEMES: readonly SchemeSpec[] = [
  ...(API.schemes ?? []),
  BASIC,
  { key: 'queryKey', kind: 'api_key', in: 'query', parameter: 'key' },
  { key: 'token', kind: 'http', scheme: 'Token' },
  { key: 'certificate', kind: 'other' },
];
const MANY: ApiSpec = { ...API, schemes: SCHEMES };
const KEYS: Readonly<AuthOptions> = { apiKey: 'k', token: 't' };

function wanting(...security: readonly (readonly string[])[]): Operation {
  return { ...READ, security };
}

async function refused(options: AuthOptions, message: RegExp, api = API): Promise<void> {
  const attempt = async () => new Caller(new TokenServer(), options, { api }).read();
  await assert.rejects(attempt, (error: unknown) => {
    assert(error instanceof ConfigurationError, String(error));
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /s3cret/);
    return true;
  });
}

describe('what is sent', () => {
  const cases: readonly [string, Operation, AuthOptions, readonly (readonly [string, string])[]][] = [
    ['a key where one is wanted', wanting(['apiKey']), KEYS, [['apiKey', 'k']]],
    ['a token where one is wanted', wanting(['bearer']), KEYS, [['bearer', 'Bearer t']]],
    [
      'both where both are wanted',
      wanting(['bearer', 'apiKey']),
      KEYS,
      [
        ['bearer', 'Bearer t'],
        ['apiKey', 'k'],
      ],
    ],
    ['nothing where half is missing', wanting(['bearer', 'apiKey']), { apiKey: 'k' }, []],
    ['the first alternative', wanting(['bearer'], ['apiKey']), KEYS, [['bearer', 'Bearer t']]],
    ['the second alternative', wanting(['bearer'], ['apiKey']), { apiKey: 'k' }, [['apiKey', 'k']]],
    ['what there is rather than nothing', wanting([], ['apiKey']), KEYS, [['apiKey', 'k']]],
    ['nothing where anybody may call', wanting(), KEYS, []],
    ['nothing for a scheme that is unknown', wanting(['nobody']), KEYS, []],
    ['one key for one of two schemes', wanting(['apiKey', 'queryKey']), KEYS, []],
    [
      'a key of its own for each',
      wanting(['apiKey', 'queryKey']),
      { credentials: { apiKey: 'one', queryKey: 'two' } },
      [
        ['apiKey', 'one'],
        ['queryKey', 'two'],
      ],
    ],
    ['nothing where two want one place', wanting(['bearer', 'basic']), { token: 't', username: 'u' }, []],
    [
      'after the name of the scheme',
      wanting(['token']),
      { credentials: { token: 't' } },
      [['token', 'Token t']],
    ],
    ['nothing for what is proved elsewhere', wanting(['certificate']), KEYS, []],
    [
      'name and password',
      wanting(['basic']),
      { username: 'u', password: 'ü' },
      [['basic', 'Basic dTrDvA==']],
    ],
    ['a name without a password', wanting(['basic']), { username: 'u' }, [['basic', 'Basic dTo=']]],
    [
      "a scheme's own name and password",
      wanting(['basic']),
      { credentials: { basic: ['u', 'p'] } },
      [['basic', 'Basic dTpw']],
    ],
    [
      "a scheme's own before that of all",
      wanting(['apiKey']),
      { apiKey: 'k', credentials: { apiKey: 'own' } },
      [['apiKey', 'own']],
    ],
  ];
  for (const [name, operation, options, expected] of cases)
    test(name, async () => {
      const caller = new Caller(new TokenServer(), options, { api: MANY });
      assert.deepEqual(await caller.carried(operation), expected);
    });
});

describe('what is given', () => {
  test('is traded, name and password, where the API does', async () => {
    const server = new TokenServer();
    await new Caller(server, { username: 'u:v', password: 'p' }).read();
    assert.deepEqual(server.ways, ['sign-in']);
    assert.equal(server.requests[0]?.members.grant_type, 'password');
  });

  test('goes, a token, before name and password', async () => {
    const server = new TokenServer();
    server.valid.add('mine');
    await new Caller(server, { username: 'u', password: 'p', token: 'mine' }).read();
    assert.deepEqual([server.used, server.requests], [['mine'], []]);
  });

  test('finds the token endpoint of its scheme', async () => {
    const url = 'https://other.test/token';
    const other: SchemeSpec = { key: 'other', kind: 'bearer', grants: [{ kind: 'client_credentials', url }] };
    const api = { ...API, schemes: [...(API.schemes ?? []), other] };
    const server = new TokenServer();
    const caller = new Caller(server, { credentials: { other: client(), bearer: client() } }, { api });
    await caller.read(wanting(['other']));
    assert.deepEqual(server.ways, [url]);
  });

  const refusals: readonly [AuthOptions, RegExp, ApiSpec?][] = [
    [{ token: 't', auth: client() }, /token and auth both say/],
    [{ auth: 's3cret' as unknown as ClientCredentials }, /auth takes one of ClientCredentials, RefreshToken/],
    [{ apiKey: 7 as unknown as string }, /apiKey must be a string/],
    [{ token: 7 as unknown as string }, /token must be a string/],
    [{ token: 's3cret\n' }, /token must be a string without line breaks/],
    [{ apiKey: 's3crét' }, /apiKey must be a string without/],
    [{ password: 's3cret' }, /the name is missing/],
    [{ username: 's3cret:', password: 'p' }, /must not hold a colon/, { ...API, schemes: [BASIC] }],
    [{ credentials: { apiKey: client() } }, /credentials\.apiKey must be a secret/],
    [{ credentials: { nothing: client() } }, /names the scheme 'nothing'; the API has bearer, apiKey/],
    [{ credentials: { apiKey: ['s3cret', 'p'] } }, /credentials\.apiKey must be a string/],
    [{ credentials: { basic: 's3cret' } }, /must be a name and a password/, MANY],
    [{ credentials: { apiKey: 's3cret ' } }, /credentials\.apiKey must be a string without/],
  ];
  for (const [options, message, api] of refusals)
    test(`is refused where it cannot work: ${message.source}`, () => refused(options, message, api));

  test('is refused where it is empty', () => {
    const empty = [
      () => new ClientCredentials({ clientId: '', clientSecret: 's' }),
      () => new RefreshToken({ refreshToken: '' }),
      () => new PasswordGrant({ username: '', password: 'p' }),
      () => new APIKeyGrant({ apiKey: '' }),
    ];
    for (const make of empty) assert.throws(make, / is empty$/);
  });

  test('is refused by every call alike', async () => {
    const caller = new Caller(new TokenServer(), { credentials: { nothing: 'x' } });
    await assert.rejects(caller.read(), /names the scheme/);
    await assert.rejects(caller.read(), /names the scheme/);
  });

  test('is not shown', async () => {
    const canary = 'canary-7Qx';
    const grants = [
      new ClientCredentials({ clientId: 'c', clientSecret: canary }),
      new RefreshToken({ refreshToken: canary }),
      new PasswordGrant({ username: 'u', password: canary }),
      new APIKeyGrant({ apiKey: canary }),
    ];
    const callers = [
      new Caller(new TokenServer(), { apiKey: canary, token: canary }, { api: MANY }),
      new Caller(new TokenServer(), { username: 'u', password: canary }, { api: MANY }),
      ...grants.map((auth) => new Caller(new TokenServer(), { auth }, { api: MANY })),
    ];
    for (const { credentials } of callers) await credentials.ready?.();
    for (const thing of [...grants, ...callers.map(({ credentials }) => credentials)]) {
      const shown = inspect(thing, { depth: 20, showHidden: true }) + JSON.stringify(thing) + String(thing);
      assert.doesNotMatch(shown, /canary/);
    }
  });
});

describe('a function', () => {
  test('gives a string that is held until it is refused', async () => {
    const server = new TokenServer();
    const caller = new Caller(server, { token: () => server.provide().value });
    await caller.read();
    caller.clock.pass(1e12);
    await caller.read();
    server.valid.clear();
    await caller.read();
    assert.deepEqual(server.used, ['access-1', 'access-1', 'access-1', 'access-2']);
  });

  for (const asDate of [true, false])
    test(`may say when its token ends, ${asDate ? 'as a date' : 'in milliseconds'}`, async () => {
      const server = new TokenServer();
      const token = (): ProvidedToken => {
        const { value } = server.provide();
        const ends = caller.clock.wall() + 100_000;
        return { value, expiresAt: asDate ? new Date(ends) : ends };
      };
      const caller = new Caller(server, { token });
      await caller.read();
      caller.clock.pass(84_999);
      await caller.read();
      caller.clock.pass(1);
      await caller.read();
      assert.deepEqual(server.used, ['access-1', 'access-1', 'access-2']);
    });

  const refusals: readonly [unknown, RegExp][] = [
    [null, /must return a string or/],
    [7, /must return a string or/],
    ['', /returned an empty token/],
    ['s3cret\n', /must be a string without line breaks/],
    [{ value: 's3cret\n' }, /must be a string without line breaks/],
    [{ value: 's3cret', expiresInMs: Number.NaN }, /an end that is no time/],
    [{ value: 's3cret', expiresAt: 'tomorrow' }, /an end that is no time/],
  ];
  for (const [given, message] of refusals)
    test(`has to return a token: ${message.source} for ${JSON.stringify(given)}`, () =>
      refused({ token: () => given as string }, message));
});

describe('the environment', () => {
  const cases: readonly [Readonly<Record<string, string>>, readonly string[]][] = [
    [{ SAMPLE_USERNAME: 'u', SAMPLE_PASSWORD: 'p' }, ['sign-in']],
    [{ SAMPLE_CLIENT_ID: 'c', SAMPLE_CLIENT_SECRET: 's' }, [TOKEN_URL]],
    [
      {
        SAMPLE_USERNAME: 'u',
        SAMPLE_PASSWORD: 'p',
        SAMPLE_CLIENT_ID: 'c',
        SAMPLE_CLIENT_SECRET: 's',
      },
      ['sign-in'],
    ],
    [{ SAMPLE_TOKEN: 'mine', SAMPLE_USERNAME: 'u', SAMPLE_PASSWORD: 'p' }, []],
    [{ SAMPLE_TOKEN: 'mine', SAMPLE_CLIENT_ID: 'c', SAMPLE_CLIENT_SECRET: 's' }, []],
  ];
  for (const [environment, expected] of cases)
    test(`says how where no option does: ${Object.keys(environment).join(', ')}`, async () => {
      const server = new TokenServer();
      server.valid.add('mine');
      await new Caller(server, {}, { environment }).read();
      assert.deepEqual(server.ways, expected);
    });

  test('is not read where an option does', async () => {
    const server = new TokenServer();
    await new Caller(server, { auth: client() }, { environment: { SAMPLE_TOKEN: 'mine' } }).read();
    assert.deepEqual([server.used, server.ways], [['access-1'], [TOKEN_URL]]);
  });

  test('is not read where the API has no name in it', async () => {
    const caller = new Caller(
      new TokenServer(),
      {},
      {
        api: { ...API, environmentPrefix: '' },
        environment: { _API_KEY: 'k' },
      },
    );
    assert.deepEqual(await caller.carried(wanting(['apiKey'])), []);
  });

  test('names its variable where that holds what it must not', () => {
    const environment = { SAMPLE_API_KEY: 's3cret\n' };
    assert.throws(
      () => new Caller(new TokenServer(), {}, { environment }),
      /^ConfigurationError: SAMPLE_API_KEY/,
    );
  });

  test('holds no half of a client', async () => {
    const caller = new Caller(new TokenServer(), {}, { environment: { SAMPLE_CLIENT_ID: 'c' } });
    await assert.rejects(caller.read(), /SAMPLE_CLIENT_ID and SAMPLE_CLIENT_SECRET go together/);
  });

  test('is read once', async () => {
    const server = new TokenServer();
    const caller = new Caller(
      server,
      {},
      {
        environment: { SAMPLE_CLIENT_ID: 'c', SAMPLE_CLIENT_SECRET: 's' },
      },
    );
    delete caller.clock.environment.SAMPLE_CLIENT_ID;
    await caller.read();
    assert.deepEqual(server.used, ['access-1']);
  });
});
