/** Credentials that are more than a key and a fixed token; loaded where a client has one. */

import type { ApiSpec, SchemeSpec } from '../call.js';
import { utf8 } from '../encoding/content.js';
import { ConfigurationError } from '../errors/local.js';
import { checkedSecret, type Held } from './credentials.js';
import type { Given, Holding, SchemeCredential, Setting } from './given.js';
import type { Grant } from './grants.js';
import { providedBy, type TokenProvider } from './provider.js';
import { type Obtain, RenewedToken } from './tokens.js';

/**
 * Adds to what is held all that was given beside a key and a fixed token.
 *
 * `called` says what a credential is called where it was given. Rejects with `ConfigurationError`.
 */
export async function complete(
  holding: Holding,
  given: Given,
  called: (name: string) => string,
  setting: Setting,
): Promise<void> {
  const { api } = setting;
  const described = await api.grants?.();
  const schemes = (api.schemes ?? []).map((scheme) => ({
    ...scheme,
    grants: described?.[scheme.key] ?? scheme.grants ?? [],
  }));
  const { token, username, password, credentials = {} } = given;
  let obtained = obtaining(given, called);
  if (username !== undefined) {
    const fields = { username, password: password ?? '' };
    const isFree = !token && (!obtained || given.clientId);
    if (isFree && trades(schemes)) obtained = { kind: 'password', terms: () => ({ fields }) };
    else holding.set(' basic', basic(username, fields.password));
  } else if (password !== undefined)
    throw new ConfigurationError(
      `${called('username')} and ${called('password')} go together: the name is missing`,
    );
  if (obtained) {
    const bearers = schemes.filter(({ kind }) => kind === 'bearer');
    holding.set(' bearer', renewed(obtained, bearers, setting));
  }
  for (const [key, value] of Object.entries(credentials))
    holding.set(key, ownOf(key, value, schemes, setting));
}

/** What bearer tokens come from, but for name and password; a token of the environment goes before its client. */
function obtaining(
  { token, auth, clientId, clientSecret }: Given,
  called: (name: string) => string,
): Grant | TokenProvider | undefined {
  if (auth && token !== undefined)
    throw new ConfigurationError('token and auth both say what the bearer token is: give one of them');
  if (auth && !isGrant(auth))
    throw new ConfigurationError(
      'auth takes one of ClientCredentials, RefreshToken, PasswordGrant and APIKeyGrant; a function goes to token',
    );
  if (token !== undefined && typeof token !== 'string' && typeof token !== 'function')
    throw new ConfigurationError('token must be a string, or a function that returns one');
  if (!clientId !== !clientSecret)
    throw new ConfigurationError(`${called('clientId')} and ${called('clientSecret')} go together`);
  if (clientId && !token) return { kind: 'client_credentials', terms: () => ({ clientId, clientSecret }) };
  return auth ?? (typeof token === 'function' ? token : undefined);
}

/** Whether name and password are traded for tokens, instead of being sent with every call. */
function trades(schemes: readonly SchemeSpec[]): boolean {
  const isTraded = schemes.some(({ grants = [] }) => grants.some(({ kind }) => kind === 'password'));
  return isTraded && !schemes.some(({ kind }) => kind === 'basic');
}

/** What a scheme gets that has a credential of its own. */
function ownOf(key: string, value: SchemeCredential, schemes: readonly SchemeSpec[], setting: Setting): Held {
  const scheme = schemes.find((one) => one.key === key);
  if (!scheme) {
    const known = schemes.map((one) => one.key).join(', ') || 'none';
    throw new ConfigurationError(`credentials names the scheme '${key}'; the API has ${known}`);
  }
  const { kind } = scheme;
  if (kind === 'basic') {
    if (isPair(value)) return basic(...value);
    throw new ConfigurationError(`credentials.${key} must be a name and a password: ['name', 'password']`);
  }
  if (typeof value === 'string') {
    const before = kind === 'bearer' ? 'Bearer ' : kind === 'http' ? `${scheme.scheme} ` : '';
    return before + checkedSecret(value, `credentials.${key}`);
  }
  if (typeof value === 'function' || isGrant(value)) {
    if (kind === 'bearer') return renewed(value, [scheme], setting);
    throw new ConfigurationError(`credentials.${key} must be a secret: nothing is traded for that scheme`);
  }
  throw new ConfigurationError(`credentials.${key} must be a string`);
}

function isGrant(given: unknown): given is Grant {
  return typeof given === 'object' && given !== null && 'terms' in given;
}

function isPair(given: unknown): given is readonly [string, string] {
  return Array.isArray(given) && given.length === 2 && given.every((part) => typeof part === 'string');
}

/** HTTP basic, which cannot tell where a name with a colon ends (RFC 7617, section 2). */
function basic(username: string, password: string): string {
  if (username.includes(':'))
    throw new ConfigurationError("a user's name must not hold a colon, which ends it in HTTP basic");
  return `Basic ${btoa(String.fromCharCode(...utf8(`${username}:${password}`)))}`;
}

/** Where tokens are to work. */
export interface Place {
  readonly api: ApiSpec;
  /** Without a slash at the end; empty where it is not known beforehand. */
  readonly baseURL: string;
  /** Those that the tokens are for. */
  readonly schemes: readonly SchemeSpec[];
}

/** A source of tokens; its first fetch rejects with `ConfigurationError` where a grant cannot be traded. */
function renewed(
  given: Grant | TokenProvider,
  schemes: readonly SchemeSpec[],
  { api, baseURL, surroundings }: Setting,
): RenewedToken {
  if (typeof given === 'function') return new RenewedToken(providedBy(given, surroundings), surroundings);
  let session: Obtain | undefined;
  return new RenewedToken(async (transport) => {
    const { sessionOf } = await import('./session.js'); // what speaks to token endpoints is for those who have one
    session ??= sessionOf(given, { api, baseURL, schemes });
    return session(transport);
  }, surroundings);
}
