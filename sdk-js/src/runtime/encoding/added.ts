/** What callers add to requests by `extraHeaders` and `extraQuery`. Loaded where one does. */

import type { CallOptions } from '../call.js';
import { ArgumentError } from '../errors/local.js';
import { checkedHeader, pairOf } from './parameters.js';
import type { Added } from './request.js';
import { membersOf } from './values.js';

/** Headers and query as they are sent; throws `ArgumentError`. */
export function addedBy({ extraHeaders = {}, extraQuery = {} }: CallOptions): Added {
  return {
    headers: new Map(
      membersOf(extraHeaders).map(([given, text]) => [headerName(given), checkedHeader(given, text)]),
    ),
    query: membersOf(extraQuery).map(([name, text]) => pairOf(name, text)),
  };
}

/** Any but those that say where the body ends. */
function headerName(given: string): string {
  const name = given.toLowerCase();
  // RFC 9110, section 5.6.2.
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && !/^(content-length|transfer-encoding|connection)$/.test(name))
    return name;
  throw new ArgumentError(`extraHeaders must not hold ${name}: it is no name, or follows from the body`);
}
