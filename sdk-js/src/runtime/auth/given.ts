/** Which credentials a client has: options, else the environment; resolved once. */

import type { ApiSpec } from '../call.js';
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

/** What was said, by the caller or by the environment. */
export interface Given extends AuthOptions {
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
}

/** Credentials by the key of a scheme, or after a space by the kind of those that have none of their own. */
export type Holding = Map<string, Held>;

/** Two that only options say, four that the environment may say as well, and last the two that nothing has to complete. */
const NAMES = [
  'auth',
  'credentials',
  'username',
  'password',
  'clientId',
  'clientSecret',
  'apiKey',
  'token',
] as const satisfies (keyof Given)[];

/**
 * The credentials of a new client.
 *
 * The environment's count only where none was passed, so that none is sent beside another. Throws `ConfigurationError`,
 * which never shows one. What is wrong with others than `apiKey` and a fixed `token` is told by each call instead, since
 * what understands them is loaded by the first.
 */
export function resolveCredentials(passed: AuthOptions, setting: Setting): Credentials {
  const { environmentPrefix } = setting.api;
  const { environment } = setting.surroundings;
  let given: Given = passed;
  let called = (name: string) => name;
  if (environmentPrefix && NAMES.every((name) => given[name] === undefined)) {
    called = (name) => `${environmentPrefix}_${name.replace(/[A-Z]/, '_$&').toUpperCase()}`;
    given = Object.fromEntries(NAMES.slice(2).map((name) => [name, environment[called(name)] || undefined]));
  }
  const { apiKey, token } = given;
  const holding: Holding = new Map();
  if (apiKey) holding.set(' api_key', checkedSecret(apiKey, called('apiKey')));
  if (token && typeof token === 'string')
    holding.set(' bearer', `Bearer ${checkedSecret(token, called('token'))}`);
  const isComplete =
    typeof (token || '') === 'string' && NAMES.slice(0, -2).every((name) => given[name] === undefined);
  let loading: Promise<void> | undefined;
  const load = () =>
    import('./further.js')
      .then(({ complete }) => complete(holding, given, called, setting))
      .catch((error: unknown) => {
        loading = undefined; // a module that did not arrive may the next time
        throw error;
      });
  return {
    ready: isComplete ? undefined : () => (loading ??= load()),
    of: ({ key, kind }) => holding.get(key) ?? holding.get(` ${kind}`) ?? (kind === 'other' ? '' : undefined),
    isOwn: (key) => holding.has(key),
  };
}
