/** Tokens that the caller's own function provides. */

import { ConfigurationError } from '../errors/local.js';
import type { Surroundings } from '../surroundings.js';
import { checkedSecret } from './credentials.js';
import type { Obtain, Token } from './tokens.js';

/** A token as a function may return it. */
export interface ProvidedToken {
  readonly value: string;
  /** Milliseconds from now. */
  readonly expiresInMs?: number | undefined;
  /** In place of `expiresInMs`: when it ends, as a Date or in milliseconds since 1970, by the clock of this machine. */
  readonly expiresAt?: Date | number | undefined;
}

/**
 * Returns a token, or a promise of one: a string is held until the server refuses it, one whose end is known is renewed in
 * time.
 */
export type TokenProvider = () => string | ProvidedToken | Promise<string | ProvidedToken>;

/** Asks the function; what it throws goes to whoever needed the token. */
export function providedBy(provider: TokenProvider, { wall }: Pick<Surroundings, 'wall'>): Obtain {
  return async () => checked(await provider(), wall());
}

function checked(given: unknown, now: number): Token {
  const token = typeof given === 'string' ? { value: given } : given;
  if (!isProvided(token))
    throw new ConfigurationError('the function given as token must return a string or {value, expiresInMs}');
  if (!checkedSecret(token.value, 'what token returned'))
    throw new ConfigurationError('the function given as token returned an empty token');
  const { value, expiresAt } = token;
  const expiresInMs = token.expiresInMs ?? (expiresAt && Number(expiresAt) - now);
  if (expiresInMs !== undefined && Number.isNaN(Number(expiresInMs)))
    throw new ConfigurationError('the function given as token returned an end that is no time');
  return { value, expiresInMs };
}

function isProvided(given: unknown): given is ProvidedToken {
  return typeof given === 'object' && given !== null && 'value' in given && typeof given.value === 'string';
}
