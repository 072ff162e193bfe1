/** Several endpoints, as the flow sees them. */

import type { EndpointProvider, Endpoints, Pick } from '../flow/endpoints.js';
import type { Endpoint, Source } from '../wire.js';
import type { EndpointPool } from './pool.js';
import { Refresh } from './refresh.js';

/** A pool, and where a provider finds its members out, the way to ask it again. */
export class Balanced implements Endpoints {
  readonly #pool: EndpointPool;
  readonly #refresh: Refresh | undefined;

  /** `keep` is told the URLs that a provider has found, so that nothing is remembered of others. */
  constructor(
    pool: EndpointPool,
    members: readonly Endpoint[] | EndpointProvider,
    now: () => number,
    keep: (urls: readonly string[]) => void,
  ) {
    this.#pool = pool;
    if (!('endpoints' in members)) {
      pool.update(members);
      return;
    }
    const update = (found: readonly Endpoint[]) => {
      pool.update(found);
      keep(pool.urls());
    };
    this.#refresh = new Refresh(members, update, now);
  }

  source(now: number): Source | undefined {
    return this.#refresh?.due(now);
  }

  pick(avoid: readonly string[], admits: (url: string) => boolean): Pick | undefined {
    return this.#pool.pick(avoid, admits);
  }

  settle(pick: Pick, verdict: boolean | undefined): void {
    this.#pool.settle(pick, verdict);
  }

  urls(): readonly string[] {
    return this.#pool.urls();
  }
}
