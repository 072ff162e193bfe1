/** Endpoints that are known beforehand. */

import type { EndpointProvider } from '../flow/endpoints.js';
import { listedEndpoints } from '../urls.js';
import type { Endpoint } from '../wire.js';

/**
 * A list of base URLs, or an object of base URL to weight.
 *
 * The same as giving either as `baseURL`; for code that chooses among providers.
 */
export class StaticEndpoints implements EndpointProvider {
  readonly refreshMs = Infinity;
  readonly #endpoints: readonly Endpoint[];

  /** Throws `ConfigurationError`. */
  constructor(urls: string | readonly string[] | Readonly<Record<string, number>>) {
    this.#endpoints = listedEndpoints(typeof urls === 'string' ? [urls] : urls, 'StaticEndpoints()');
  }

  async endpoints(): Promise<readonly Endpoint[]> {
    return this.#endpoints;
  }
}
