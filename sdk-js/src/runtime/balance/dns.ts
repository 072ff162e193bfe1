/** Every address of a name is an endpoint. */

import { ConfigurationError, DiscoveryError } from '../errors/local.js';
import type { EndpointProvider } from '../flow/endpoints.js';
import { checkedURL } from '../urls.js';
import type { Endpoint } from '../wire.js';
import { checkedMs, inURL } from './provider.js';

/** What is used of `node:dns`. */
interface Dns {
  readonly ADDRCONFIG: number;
  readonly promises: {
    lookup(
      name: string,
      options: { readonly all: true; readonly hints: number },
    ): Promise<readonly { readonly address: string }[]>;
  };
}

/** How a name is looked up, and how often. */
export interface DnsEndpointsOptions {
  /**
   * Takes the place of the record's time to live, which the resolver does not tell.
   *
   * @default 30_000
   */
  readonly refreshMs?: number | undefined;
}

/**
 * The addresses behind a name, looked up again every `refreshMs`: those of a headless service in Kubernetes, say.
 *
 * For plain http, and where there is `node:dns` (Node.js, Deno, Bun). fetch connects to what the URL says and to nothing
 * else: the Host header is the address, not the name, and over https the certificate would be compared with the address, so
 * that an https URL is refused. Where a proxy stands before the servers, or they want https, give their names as
 * `baseURL: [...]`, or use `ConsulEndpoints`.
 *
 * Addresses of IPv6 count only where this machine has one. All weigh the same.
 *
 * @example
 * new DhatuAPI({ baseURL: new DnsEndpoints('http://corpus.internal:8080') });
 */
export class DnsEndpoints implements EndpointProvider {
  readonly refreshMs: number;
  readonly #url: URL;
  readonly #base: string;

  /** Throws `ConfigurationError`. */
  constructor(url: string, { refreshMs = 30_000 }: DnsEndpointsOptions = {}) {
    this.refreshMs = checkedMs(refreshMs, 'refreshMs');
    this.#base = checkedURL(url, 'the address of DnsEndpoints()');
    this.#url = new URL(this.#base);
    if (this.#url.protocol !== 'http:')
      throw new ConfigurationError(
        'DnsEndpoints() takes http addresses alone: fetch cannot prove the name of a server by https when it connects to an address; give the names as baseURL',
      );
  }

  /** Rejects with `DiscoveryError`. */
  async endpoints(): Promise<readonly Endpoint[]> {
    const name = this.#url.hostname;
    let found: readonly { readonly address: string }[];
    try {
      found = await lookUp(name.replace(/^\[|\]$/g, ''));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new DiscoveryError(
        `the name ${name} has no address: ${why}; check the address of DnsEndpoints()`,
        { cause: error },
      );
    }
    return [...new Set(found.map(({ address }) => inURL(address)))].map((address) => ({
      url: address === name ? this.#base : this.#at(address),
    }));
  }

  #at(address: string): string {
    const url = new URL(this.#url);
    url.hostname = address;
    return url.href.replace(/\/+$/, '');
  }
}

/** Named by a variable, so that bundlers for browsers, which have no such module, leave it alone. */
const MODULE: string = 'node:dns';

async function lookUp(name: string): Promise<readonly { readonly address: string }[]> {
  const { ADDRCONFIG, promises }: Dns = await import(/* @vite-ignore */ /* webpackIgnore: true */ MODULE);
  return promises.lookup(name, { all: true, hints: ADDRCONFIG });
}
