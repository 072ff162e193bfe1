/** Which endpoint an attempt goes to: the only one there is, or one that a balancer picks. */

import type { Endpoint, Source, Transport } from '../wire.js';

/** One attempt's hold on an endpoint. */
export interface Pick {
  readonly endpoint: Endpoint;
}

/** The endpoints that serve an operation. */
export interface Endpoints {
  /** What has to be fetched before one can be picked; undefined where nothing has. */
  source(now: number): Source | undefined;
  /**
   * An endpoint, to be settled once; undefined where none is admitted.
   *
   * `avoid` are those that this call has tried, used again only if there is no other; `admits` tells by URL whether
   * the breakers let a call through.
   */
  pick(avoid: readonly string[], admits: (url: string) => boolean): Pick | undefined;
  /** Whether the endpoint did its part; undefined where the end says nothing of it. */
  settle(pick: Pick, verdict: boolean | undefined): void;
  urls(): readonly string[];
}

/** Finds out where the API is served, again and again. */
export interface EndpointProvider {
  /** Milliseconds for which an answer is good, above 0. */
  readonly refreshMs: number;
  /** Rejects with `DhatuError` where it cannot tell. */
  endpoints(transport: Transport): Promise<readonly Endpoint[]>;
}

/** The usual case: one base URL. */
export function singleEndpoint(url: string): Endpoints {
  const only: Pick = { endpoint: { url } };
  return {
    source: () => undefined,
    pick: (_, admits) => (admits(url) ? only : undefined),
    settle: () => {},
    urls: () => [url],
  };
}
