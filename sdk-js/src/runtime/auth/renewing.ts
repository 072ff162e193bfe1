/** What renews tokens, chosen by what the caller gave; loaded when the first one is needed. */

import type { ApiSpec, SchemeSpec } from '../call.js';
import type { TokenSource } from '../flow/plan.js';
import type { Surroundings } from '../surroundings.js';
import type { Grant } from './grants.js';
import { providedBy, type TokenProvider } from './provider.js';
import { type Obtain, RenewedToken } from './tokens.js';

/** Where tokens are to work. */
export interface Place {
  readonly api: ApiSpec;
  /** Without a slash at the end; empty where it is not known beforehand. */
  readonly baseURL: string;
  /** Those that the tokens are for. */
  readonly schemes: readonly SchemeSpec[];
}

/** A source whose first fetch rejects with `ConfigurationError` where a grant cannot be traded. */
export function renewing(
  given: Grant | TokenProvider,
  place: Place,
  surroundings: Surroundings,
): TokenSource {
  if (typeof given === 'function') return new RenewedToken(providedBy(given, surroundings), surroundings);
  let session: Obtain | undefined;
  return new RenewedToken(async (transport) => {
    const { sessionOf } = await import('./session.js'); // what speaks to token endpoints is for those who have one
    session ??= sessionOf(given, place);
    return session(transport);
  }, surroundings);
}
