/** An API that wants tokens, and the places where they are obtained; everything that was sent is kept. */

import '../loaded.js';
import { type Credentials, proofs, renewedToken, satisfied } from '../../src/runtime/auth/credentials.js';
import { type AuthOptions, resolveCredentials } from '../../src/runtime/auth/given.js';
import {
  APIKeyGrant,
  ClientCredentials,
  PasswordGrant,
  RefreshToken,
} from '../../src/runtime/auth/grants.js';
import type { ProvidedToken } from '../../src/runtime/auth/provider.js';
import type { ApiSpec, CallOptions, Operation } from '../../src/runtime/call.js';
import type { Body } from '../../src/runtime/encoding/content.js';
import { run } from '../../src/runtime/flow/drivers.js';
import { singleEndpoint } from '../../src/runtime/flow/endpoints.js';
import { callFlow } from '../../src/runtime/flow/life.js';
import { breakersOf } from '../../src/runtime/policies/breaker.js';
import { budgetOf } from '../../src/runtime/policies/budget.js';
import { resolveRetry } from '../../src/runtime/policies/retry.js';
import type { Fetch } from '../../src/runtime/transport/over-fetch.js';
import { overFetch } from '../../src/runtime/transport/over-fetch.js';
import type { Answer } from '../../src/runtime/wire.js';
import { Clock } from '../clock.js';

export const BASE_URL = 'https://api.sample.test/base';
export const TOKEN_URL = 'https://auth.test/token';
export const DISCOVERY_URL = 'https://auth.test/.well-known/openid-configuration';
export const LIFETIME_MS = 1_000_000;

export const API: ApiSpec = {
  client: 'SampleAPI',
  distribution: '@sample/client',
  version: '1.2.3',
  baseURL: BASE_URL,
  environmentPrefix: 'SAMPLE',
  schemes: [
    {
      key: 'bearer',
      kind: 'bearer',
      grants: [
        { kind: 'client_credentials', url: TOKEN_URL },
        { kind: 'password', url: 'sign-in', json: true, listsScopes: true, names: { scope: 'scopes' } },
        { kind: 'api_key', url: 'sign-in', json: true },
        { kind: 'refresh_token', url: 'renew', json: true, saysKind: false },
      ],
    },
    { key: 'apiKey', kind: 'api_key', parameter: 'X-API-Key' },
  ],
};

export const READ: Operation = {
  key: 'documents.get',
  method: 'GET',
  path: '/documents',
  security: [['bearer']],
  retry: 'safe',
};

/** An error as fetch gives it. */
export function failed(code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}

/** One request. */
export interface Sent {
  readonly url: string;
  readonly headers: Headers;
  readonly members: Readonly<Record<string, unknown>>;
}

/** Issues numbered tokens; refresh tokens rotate, and one that comes twice ends the session. */
export class TokenServer {
  readonly requests: Sent[] = [];
  /** What the API was called with. */
  readonly used: string[] = [];
  readonly valid = new Set<string>();
  /** No token is good enough any more. */
  isStrict = false;
  lifetimeMs: number | undefined = LIFETIME_MS;
  rotates = true;
  readonly refreshTokens = new Set(['refresh-0']);
  reused = false;
  /** What the next token requests meet instead. */
  trouble: (Response | Error)[] = [];
  #number = 0;

  readonly fetch: Fetch = async (url, init) => {
    const headers = new Headers(init.headers);
    if (url === `${BASE_URL}/documents`) {
      const token = (headers.get('authorization') ?? '').replace('Bearer ', '');
      this.used.push(token);
      return Response.json({}, { status: this.valid.has(token) && !this.isStrict ? 200 : 401 });
    }
    const text = await new Response(init.body).text();
    const isJSON = headers.get('content-type') === 'application/json';
    const members = isJSON ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text));
    this.requests.push({ url, headers, members });
    const met = this.trouble.shift();
    if (met instanceof Error) throw met;
    if (met) return met;
    if (url === DISCOVERY_URL)
      return Response.json({
        token_endpoint: TOKEN_URL,
        token_endpoint_auth_methods_supported: ['client_secret_post'],
      });
    const { refresh_token: sent } = members;
    if (sent !== undefined && !this.refreshTokens.has(sent)) {
      this.reused = true;
      return Response.json({ error: 'invalid_grant' }, { status: 400 });
    }
    if (sent !== undefined && this.rotates) this.refreshTokens.delete(sent);
    return Response.json(this.issue(sent === undefined || this.rotates));
  };

  issue(refresh: boolean): Record<string, unknown> {
    this.#number += 1;
    const access = `access-${this.#number}`;
    const refreshToken = `refresh-${this.#number}`;
    this.valid.add(access);
    if (refresh) this.refreshTokens.add(refreshToken);
    return {
      access_token: access,
      token_type: 'Bearer',
      ...(this.lifetimeMs !== undefined && { expires_in: this.lifetimeMs / 1000 }),
      ...(refresh && { refresh_token: refreshToken }),
    };
  }

  /** For clients that bring a function. */
  readonly provide = (): ProvidedToken => {
    this.requests.push({ url: 'provider', headers: new Headers(), members: {} });
    if (this.trouble.length) {
      this.trouble.length = 0;
      throw new RangeError('the provider is down');
    }
    const { access_token: value } = this.issue(false);
    return { value: String(value), expiresInMs: this.lifetimeMs };
  };

  /** Where each token request went, below the API, and what it asked for. */
  get ways(): readonly string[] {
    return this.requests.map(({ url }) => url.replace(`${BASE_URL}/`, ''));
  }
}

/** As much of a client as has to do with credentials. */
export class Caller {
  readonly clock = new Clock(0.5);
  readonly server: TokenServer;
  readonly credentials: Credentials;
  readonly #api: ApiSpec;
  readonly #maxRetries: number;

  constructor(
    server: TokenServer,
    options: AuthOptions,
    { api = API, maxRetries = 2, environment = {} }: CallerOptions = {},
  ) {
    this.server = server;
    Object.assign(this.clock.environment, environment);
    this.#api = api;
    this.#maxRetries = maxRetries;
    this.credentials = resolveCredentials(options, { api, baseURL: BASE_URL, surroundings: this.clock });
  }

  /** What goes along with a call. */
  async carried(operation: Operation): Promise<readonly (readonly [string, string])[]> {
    await this.credentials.ready?.();
    return proofs(satisfied(this.#api, this.credentials, operation)).map(([{ key }, text]) => [key, text]);
  }

  async read(operation: Operation = READ, options: CallOptions = {}, body?: Body): Promise<Answer> {
    await this.credentials.ready?.();
    const { now, wall, random } = this.clock;
    const given = Object.entries(options.extraHeaders ?? {}).map(
      ([name, text]) => [name.toLowerCase(), text] as const,
    );
    const carried = await this.carried(operation);
    const call = {
      operation,
      request: {
        method: body ? 'POST' : 'GET',
        target: '/documents',
        headers: [...carried.map(([, text]) => ['authorization', text] as const), ...given],
        body,
      },
      endpoints: singleEndpoint(BASE_URL),
      timeoutMs: 60_000,
      attemptTimeoutMs: undefined,
      retry: resolveRetry({ maxRetries: this.#maxRetries }),
      headerPrefix: '',
      keepOpen: () => false,
      idleMs: 60_000,
      resume: true,
      strict: false,
      tokens: given.some(([name]) => name === 'authorization')
        ? undefined
        : renewedToken(satisfied(this.#api, this.credentials, operation)),
    };
    const policies = {
      budget: budgetOf(null, now),
      breakers: breakersOf(null, now, () => {}),
      pacer: undefined,
      hedger: undefined,
      watch: undefined,
      now,
      wall,
      random,
    };
    const transport = overFetch(this.server.fetch, this.clock);
    return this.clock.finish(run(callFlow(call, policies), transport, this.clock, options.signal));
  }

  /** Calls when the token has ended. */
  async later(): Promise<void> {
    this.clock.pass(LIFETIME_MS);
    await this.read();
  }
}

export interface CallerOptions {
  readonly api?: ApiSpec;
  readonly maxRetries?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Each way to obtain tokens. */
export const SOURCES: Readonly<Record<string, (server: TokenServer) => AuthOptions>> = {
  'a function': (server) => ({ token: server.provide }),
  'an async function': (server) => ({ token: async () => server.provide() }),
  'client credentials': () => ({ auth: client() }),
  'a refresh token': () => ({ auth: new RefreshToken({ refreshToken: 'refresh-0' }) }),
  'a password': () => ({ auth: new PasswordGrant({ username: 'panini', password: 's3cret' }) }),
  'an API key': () => ({ auth: new APIKeyGrant({ apiKey: 'dhk_s3cret' }) }),
  'by scheme': () => ({ credentials: { bearer: client() } }),
};

export function client(): ClientCredentials {
  return new ClientCredentials({ clientId: 'reader', clientSecret: 's3cret' });
}
