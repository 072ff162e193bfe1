/** Which credentials a client has: options, else the environment; resolved once. */

import type { ApiSpec, SchemeSpec } from '../call.js';
import { utf8 } from '../encoding/content.js';
import { ConfigurationError } from '../errors.js';
import type { TokenSource } from '../flow/plan.js';
import type { Surroundings } from '../surroundings.js';
import { type Credentials, checkedSecret, type Held } from './credentials.js';
import type { Grant } from './grants.js';
import type { TokenProvider } from './provider.js';

/** What one security scheme gets: a secret, `[name, password]` for HTTP basic, or for a bearer token what obtains it. */
export type SchemeCredential = string | readonly [string, string] | Grant | TokenProvider;

/** How a client proves who calls. */
export interface AuthOptions {
  /**
   * Goes where the API's description wants a key.
   *
   * @default the environment's, such as `DHATU_API_KEY`, where no other option here is given
   */
  apiKey?: string | undefined;
  /**
   * A bearer token, or a function that provides it: a string is held until the server refuses it, one with `expiresInMs` is
   * renewed in time, by one call for all.
   *
   * @example
   * new DhatuAPI({ token: async () => ({ value: await signIn(), expiresInMs: 3_600_000 }) });
   */
  token?: string | TokenProvider | undefined;
  /** What is traded for bearer tokens, which are renewed before they end and once after a 401. */
  auth?: Grant | undefined;
  /** With `password`: HTTP basic, or where the API does without and trades them for tokens, that. */
  username?: string | undefined;
  password?: string | undefined;
  /** By the key of a security scheme what that one gets, where an API has several of a kind. */
  credentials?: Readonly<Record<string, SchemeCredential>> | undefined;
}

/** Where credentials are to work. */
export interface Setting {
  readonly api: ApiSpec;
  /** Without a slash at the end; empty where it is not known beforehand. */
  readonly baseURL: string;
  readonly surroundings: Surroundings;
}

const OPTIONS = ['apiKey', 'token', 'auth', 'username', 'password', 'credentials'] as const;

/**
 * The credentials of a new client.
 *
 * The environment's count only where none was passed, so that none is sent beside another. Throws `ConfigurationError`,
 * which never shows one.
 */
export function resolveCredentials(passed: AuthOptions, setting: Setting): Credentials {
  const { schemes = [], environmentPrefix } = setting.api;
  const isPassed = OPTIONS.some((name) => passed[name] !== undefined);
  const given = isPassed ? passed : inEnvironment(setting);
  const { apiKey = '', token = '', auth, username, password, credentials = {} } = given;
  const called = (name: string) => (isPassed ? name : variable(environmentPrefix, name));
  /** By the key of a scheme, or after a space by the kind of those that have no credential of their own. */
  const held = new Map<string, Held>();

  if (auth && token)
    throw new ConfigurationError('token and auth both say what the bearer token is: give one');
  if (auth && !('terms' in auth))
    throw new ConfigurationError('auth takes a grant; a function goes to token');
  let obtained = auth ?? (typeof token === 'string' ? undefined : token);
  if (username !== undefined) {
    const pair = { username, password: password ?? '' };
    if (!token && !auth && trades(schemes)) obtained = { kind: 'password', terms: () => ({ fields: pair }) };
    else held.set(' basic', basic(username, pair.password));
  } else if (password !== undefined)
    throw new ConfigurationError(`${called('username')} and ${called('password')} go together`);
  if (apiKey) held.set(' api_key', checkedSecret(apiKey, called('apiKey')));
  if (obtained) {
    const bearers = schemes.filter(({ kind }) => kind === 'bearer');
    held.set(' bearer', renewed(obtained, bearers, setting));
  } else if (token) held.set(' bearer', `Bearer ${checkedSecret(String(token), called('token'))}`);

  for (const [key, value] of Object.entries(credentials)) {
    const scheme = schemes.find((one) => one.key === key);
    const own = scheme && ownOf(scheme, value, setting);
    if (own === undefined)
      throw new ConfigurationError(
        `credentials.${key} ${scheme ? `must be ${scheme.kind === 'basic' ? '[name, password]' : 'a string'}` : `names no scheme; there are: ${schemes.map((one) => one.key).join(', ')}`}`,
      );
    held.set(key, own);
  }
  return {
    of: ({ key, kind }) => held.get(key) ?? held.get(` ${kind}`) ?? (kind === 'other' ? '' : undefined),
    isOwn: (key) => held.has(key),
  };
}

/** What the environment says: a token before a user, a user before a client. */
function inEnvironment({ api, surroundings }: Setting): AuthOptions {
  const { environmentPrefix: prefix, schemes = [] } = api;
  const value = (name: string) => (prefix && surroundings.environment[variable(prefix, name)]) || undefined;
  const [apiKey, token, username, password, clientId, clientSecret] = [
    'apiKey',
    'token',
    'username',
    'password',
    'clientId',
    'clientSecret',
  ].map(value);
  if (!clientId !== !clientSecret)
    throw new ConfigurationError(
      `${variable(prefix, 'clientId')} and ${variable(prefix, 'clientSecret')} go together`,
    );
  const isClient = clientId && !token && !(username && trades(schemes));
  return {
    apiKey,
    token,
    username,
    password,
    auth: isClient ? { kind: 'client_credentials', terms: () => ({ clientId, clientSecret }) } : undefined,
  };
}

/** `DHATU_API_KEY` for `apiKey`. */
function variable(prefix: string, name: string): string {
  return `${prefix}_${name.replace(/[A-Z]/, '_$&').toUpperCase()}`;
}

/** Whether name and password are traded for tokens, instead of being sent with every call. */
function trades(schemes: readonly SchemeSpec[]): boolean {
  return (
    !schemes.some(({ kind }) => kind === 'basic') &&
    schemes.some(({ grants = [] }) => grants.some(({ kind }) => kind === 'password'))
  );
}

/** What a scheme gets of its own; undefined where it cannot be that. */
function ownOf(scheme: SchemeSpec, value: SchemeCredential, setting: Setting): Held | undefined {
  const { key, kind } = scheme;
  if (kind === 'basic') return Array.isArray(value) ? basic(...(value as [string, string])) : undefined;
  if (typeof value === 'string') {
    const before = kind === 'bearer' ? 'Bearer ' : kind === 'http' ? `${scheme.scheme} ` : '';
    return before + checkedSecret(value, `credentials.${key}`);
  }
  if (kind !== 'bearer' || !(typeof value === 'function' || 'terms' in value)) return undefined;
  return renewed(value, [scheme], setting);
}

/** HTTP basic, which cannot tell where a name with a colon ends (RFC 7617, section 2). */
function basic(username: string, password: string): string {
  if (username.includes(':'))
    throw new ConfigurationError("a user's name must not hold a colon, which ends it in HTTP basic");
  return `Basic ${btoa(String.fromCharCode(...utf8(`${username}:${password}`)))}`;
}

/** A source of tokens whose modules are loaded when the first one is fetched. */
function renewed(
  given: Grant | TokenProvider,
  schemes: readonly SchemeSpec[],
  { api, baseURL, surroundings }: Setting,
): TokenSource {
  let source: TokenSource | undefined;
  return {
    ready: (now) => source?.ready(now),
    refused: (token) => source?.refused(token),
    async fetch(transport) {
      const { renewing } = await import('./renewing.js');
      source ??= renewing(given, { api, baseURL, schemes }, surroundings);
      return source.fetch(transport);
    },
  };
}
