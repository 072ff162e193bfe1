/** Several endpoints, as the flow sees them. */

import type { EndpointProvider, Endpoints, Pick } from '../flow/endpoints.js';
import type { Endpoint, Source } from '../wire.js';
import type { EndpointPool } from './pool.js';
import { Refresh } from './refresh.js';

/** A pool, and where a provider finds its members out, the way to ask it again. */
export class Balanced implements Endpoints {
  readonly #pool: EndpointPool;
  readonly #refresh: Refresh | undefined;

  /** `forget` is told the URLs that a provider does not find any more. */
  constructor(
    pool: EndpointPool,
    members: readonly Endpoint[] | EndpointProvider,
    now: () => number,
    forget: (urls: readonly string[]) => void,
  ) {
    this.#pool = pool;
    if (!('endpoints' in members)) {
      pool.update(members);
      return;
    }
    const update = (found: readonly Endpoint[]) => {
      const before = pool.urls();
      pool.update(found);
      forget(before.filter((url) => !pool.urls().includes(url)));
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
