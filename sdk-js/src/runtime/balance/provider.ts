/** What the providers of endpoints have in common. */

import { ConfigurationError } from '../errors/local.js';

/** A time above 0; throws `ConfigurationError`. */
export function checkedMs(givenMs: number, name: string): number {
  if (givenMs > 0) return givenMs;
  throw new ConfigurationError(`${name} must be a number of milliseconds above 0, not ${givenMs}`);
}

/** An address in a URL: brackets go around those of IPv6. */
export function inURL(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
