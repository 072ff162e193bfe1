/** Base URLs: checked and listed. */

import { ConfigurationError } from './errors/local.js';
import type { Endpoint } from './wire.js';

/** Addresses, perhaps with weights, of which there must be one; throws `ConfigurationError`. */
export function listedEndpoints(
  given: readonly string[] | Readonly<Record<string, number>>,
  name: string,
): readonly Endpoint[] {
  const endpoints = Array.isArray(given)
    ? given.map((url: string) => ({ url: checkedURL(url, name) }))
    : Object.entries(given).map(([url, weight]) => {
        if (weight > 0 && weight < Infinity) return { url: checkedURL(url, name), weight };
        throw new ConfigurationError(`the weight of a base URL must be a number above 0, not ${weight}`);
      });
  if (!endpoints.length) checkedURL('', name);
  return endpoints;
}

/** The address without a slash at its end; throws `ConfigurationError`. */
export function checkedURL(url: string, name: string): string {
  const refused = (what: string) => new ConfigurationError(what);
  if (!url) throw refused(`the address of the API is missing: set ${name}`);
  let parsed: URL | undefined;
  try {
    parsed = new URL(url);
  } catch {}
  // An address may have a password in it: none is shown.
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.port === '0')
    throw refused(`${name} must be an address such as https://api.example.com`);
  if (/[?#]/.test(url)) throw refused(`${name} must hold neither a query nor a fragment`);
  return url.replace(/\/+$/, '');
}
