/** What all calls of a client share, made from its settings once. */

import { type Endpoints, SingleEndpoint } from './flow/endpoints.js';
import type { Policies } from './flow/plan.js';
import { Breakers } from './policies/breaker.js';
import { RetryBudget } from './policies/budget.js';
import { Pacer } from './policies/pacing.js';
import type { ClientOptions, Settings } from './settings.js';
import type { Surroundings } from './surroundings.js';
import { overFetch } from './transport/over-fetch.js';
import { unwatched } from './watch/watch.js';
import type { Transport } from './wire.js';

/** Endpoints, policies and connections; clones of a client made by `withOptions` share them. */
export interface Engine {
  readonly transport: Transport;
  /** Resolves when all is loaded that the options ask for; undefined where nothing has to be. */
  readonly ready: Promise<void> | undefined;
  /** Complete when it is ready. */
  readonly policies: Policies;
  /** The endpoints of an operation; `address` where it has a server of its own. */
  readonly endpointsAt: (address: string | undefined) => Endpoints;
}

export function engineOf(settings: Settings, given: ClientOptions, surroundings: Surroundings): Engine {
  const { now, wall, random } = surroundings;
  const { resilience: { budget, breaker, pacing = true } = {} } = given;
  const elsewhere = new Map<string, Endpoints>();
  const [first] = settings.endpoints;
  const endpoints: Endpoints = new SingleEndpoint(first?.url ?? '');
  const breakers = new Breakers(breaker, now, () => {});
  const policies = {
    budget: new RetryBudget(budget, now),
    breakers,
    pacer: pacing ? new Pacer() : undefined,
    hedger: undefined,
    watch: unwatched,
    now,
    wall,
    random,
  };
  const endpointsAt = (address: string | undefined): Endpoints => {
    if (address === undefined) return endpoints;
    const found = elsewhere.get(address) ?? new SingleEndpoint(address);
    elsewhere.set(address, found);
    return found;
  };
  return { transport: overFetch(given.fetch, surroundings), policies, endpointsAt, ready: undefined };
}
