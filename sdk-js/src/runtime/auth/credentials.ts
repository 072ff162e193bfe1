/** What proves who calls, and how each security scheme carries it. */

import type { ApiSpec, Operation, SchemeSpec } from '../call.js';
import { ConfigurationError } from '../errors/local.js';
import type { TokenSource } from '../flow/plan.js';

/** What satisfies a scheme: the text that is sent, empty where nothing has to be, or what renews a token. */
export type Held = string | TokenSource;

/** What the client was given; functions, which nothing prints. */
export interface Credentials {
  /**
   * Resolves when all is there to answer with; undefined where it is.
   *
   * Rejects with `ConfigurationError`, each time it is called.
   */
  readonly ready?: (() => Promise<void>) | undefined;
  /** What satisfies a scheme; undefined where nothing does. */
  readonly of: (scheme: SchemeSpec) => Held | undefined;
  /** Whether that is for this scheme alone. */
  readonly isOwn: (key: string) => boolean;
}

/** A scheme, and what satisfies it. */
export type Satisfied = readonly [SchemeSpec, Held];

/** What is sent to satisfy an operation's security, but for a token that is renewed. */
export function proofs(found: readonly Satisfied[]): (readonly [SchemeSpec, string])[] {
  return found.flatMap(([scheme, held]) =>
    held && typeof held === 'string' ? [[scheme, held] as const] : [],
  );
}

/** What renews the token of a call that does not bring its own; undefined where it needs none. */
export function renewedToken(found: readonly Satisfied[]): TokenSource | undefined {
  for (const [, held] of found) if (typeof held === 'object') return held;
  return undefined;
}

/**
 * The first alternative that the client can satisfy, before one that needs nothing; none where it can satisfy none, since
 * the server then says better than we could what is missing.
 */
export function satisfied(
  { schemes = [] }: ApiSpec,
  credentials: Credentials,
  { security = [] }: Operation,
): Satisfied[] {
  for (const alternative of security) {
    const found = alternative.flatMap((key) => {
      const scheme = schemes.find((one) => one.key === key);
      const held = scheme && credentials.of(scheme);
      return scheme && held !== undefined ? [[scheme, held] as const] : [];
    });
    const isWhole = found.length && found.length === alternative.length;
    if (isWhole && (found.length < 2 || isApart(found, credentials))) return found;
  }
  return [];
}

/** Whether all can be sent together: each in a place of its own, and `apiKey` for one of them only. */
function isApart(found: readonly Satisfied[], { isOwn }: Credentials): boolean {
  const sent = found.filter(([, held]) => held);
  const places = new Map(sent.map(([scheme, held]) => [placeOf(scheme), held]));
  return (
    sent.every(([scheme, held]) => places.get(placeOf(scheme)) === held) &&
    found.filter(([{ key, kind }]) => kind === 'api_key' && !isOwn(key)).length < 2
  );
}

function placeOf({ in: location = 'header', parameter = 'Authorization' }: SchemeSpec): string {
  return `${location} ${parameter}`.toLowerCase();
}

/** The secret, if a header can carry it; throws `ConfigurationError`, which never shows it. */
export function checkedSecret(secret: string, name: string): string {
  if (typeof secret !== 'string' || !/^([!-~]([ -~]*[!-~])?)?$/.test(secret))
    throw new ConfigurationError(
      `${name} must be a string without line breaks or others that no header takes`,
    );
  return secret;
}
