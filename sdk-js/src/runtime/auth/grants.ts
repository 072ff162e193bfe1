/** What can be traded for access tokens, as the caller of a client writes it. */

import { ConfigurationError } from '../errors/local.js';
import type { Token } from './tokens.js';

/** What is traded for bearer tokens: one of the classes here. */
export interface Grant {
  /** As the API's description names it: `client_credentials`, `refresh_token`, `password` or `api_key`. */
  readonly kind: string;
  terms(): Terms;
}

/** How a client's secret travels (RFC 6749, section 2.3.1). */
export type ClientAuth = 'basic' | 'post';

/** Is called with each new token before any call uses it; what it throws goes to the calls that wait for the token. */
export type OnToken = (token: Token) => unknown;

/** What there is to say of a grant. */
export interface Terms extends GrantOptions {
  /** `refresh_token`, `username` and the like, by their names in RFC 6749. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly onToken?: OnToken | undefined;
}

/** Options that grants have in common. */
export interface GrantOptions {
  /**
   * What to ask for.
   *
   * @default none, so that the server decides
   */
  readonly scopes?: readonly string[] | undefined;
  /**
   * Where to ask, by https unless it is on this machine.
   *
   * @default where the API's description says, or OpenID Connect discovery does
   */
  readonly tokenURL?: string | undefined;
  /**
   * How the secret travels (RFC 6749, section 2.3.1).
   *
   * @default 'basic', unless discovery finds only 'post'
   */
  readonly clientAuth?: ClientAuth | undefined;
  /** Further parameters of the request, such as `audience`. */
  readonly extra?: Readonly<Record<string, string>> | undefined;
}

/** What the credentials of a program are traded for tokens with (RFC 6749, section 4.4). */
export interface ClientCredentialsOptions extends GrantOptions {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What a refresh token is traded for access tokens with (RFC 6749, section 6). */
export interface RefreshTokenOptions extends GrantOptions {
  readonly refreshToken: string;
  readonly clientId?: string | undefined;
  /** @default none, for a public client */
  readonly clientSecret?: string | undefined;
  readonly onToken?: OnToken | undefined;
}

/** What a name and a password are traded for tokens with (RFC 6749, section 4.3). */
export interface PasswordGrantOptions extends GrantOptions {
  readonly username: string;
  readonly password: string;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly onToken?: OnToken | undefined;
}

/** What an API key is traded for tokens with. */
export interface APIKeyGrantOptions {
  readonly apiKey: string;
  /**
   * What to ask for.
   *
   * @default none, so that the server decides
   */
  readonly scopes?: readonly string[] | undefined;
  readonly onToken?: OnToken | undefined;
}

/**
 * A program that acts for itself (RFC 6749, section 4.4).
 *
 * @example
 * new DhatuAPI({ auth: new ClientCredentials({ clientId: 'reader', clientSecret: secret }) });
 */
export class ClientCredentials implements Grant {
  readonly kind = 'client_credentials';
  readonly #terms: Terms;

  /** Throws `ConfigurationError`. */
  constructor(given: ClientCredentialsOptions) {
    this.#terms = given;
    refuseEmpty(given.clientId, 'ClientCredentials');
  }

  terms(): Terms {
    return this.#terms;
  }
}

/**
 * A session that began elsewhere (RFC 6749, section 6).
 *
 * Where the server rotates refresh tokens, each counts once: give one to a single client, and store what `onToken` is
 * called with.
 *
 * @example
 * new RefreshToken({ refreshToken: stored, onToken: ({ refreshToken }) => store(refreshToken) });
 */
export class RefreshToken implements Grant {
  readonly kind = 'refresh_token';
  readonly #terms: Terms;

  /** Throws `ConfigurationError`. */
  constructor({ refreshToken, ...rest }: RefreshTokenOptions) {
    this.#terms = { ...rest, fields: { refresh_token: refreshToken } };
    refuseEmpty(refreshToken, 'RefreshToken');
  }

  terms(): Terms {
    return this.#terms;
  }
}

/**
 * A user's name and password, where the API trades them for tokens (RFC 6749, section 4.3).
 *
 * Renewed by the refresh token where one is given; by name and password again where that is refused.
 */
export class PasswordGrant implements Grant {
  readonly kind = 'password';
  readonly #terms: Terms;

  /** Throws `ConfigurationError`. */
  constructor({ username, password, ...rest }: PasswordGrantOptions) {
    this.#terms = { ...rest, fields: { username, password } };
    refuseEmpty(username, 'PasswordGrant');
  }

  terms(): Terms {
    return this.#terms;
  }
}

/**
 * An API key, where the API trades it for tokens, which live shorter and may do less.
 *
 * Renewed as those of a password are.
 */
export class APIKeyGrant implements Grant {
  readonly kind = 'api_key';
  readonly #terms: Terms;

  /** Throws `ConfigurationError`. */
  constructor({ apiKey, ...rest }: APIKeyGrantOptions) {
    this.#terms = { ...rest, fields: { api_key: apiKey } };
    refuseEmpty(apiKey, 'APIKeyGrant');
  }

  terms(): Terms {
    return this.#terms;
  }
}

function refuseEmpty(needed: string, name: string): void {
  if (!needed) throw new ConfigurationError(`${name} is empty`);
}
