/** What all calls of a client share, made from its settings once. */

import type { ApiSpec } from './call.js';
import { type Endpoints, SingleEndpoint } from './flow/endpoints.js';
import type { Policies } from './flow/plan.js';
import { Breakers } from './policies/breaker.js';
import { RetryBudget } from './policies/budget.js';
import { Pacer } from './policies/pacing.js';
import type { ClientOptions, Settings } from './settings.js';
import type { Surroundings } from './surroundings.js';
import { overFetch } from './transport/over-fetch.js';
import type { Telemetry } from './watch/telemetry.js';
import { unwatched } from './watch/watch.js';
import type { Transport } from './wire.js';

/** Endpoints, policies and connections; clones of a client made by `withOptions` share them. */
export interface Engine {
  readonly transport: Transport;
  /** Resolves when all is loaded that the options ask for; undefined where nothing has to be. */
  readonly ready: Promise<unknown> | undefined;
  /** Complete when it is ready. */
  readonly policies: Policies;
  /** The endpoints of an operation; `address` where it has a server of its own. */
  readonly endpointsAt: (address: string | undefined) => Endpoints;
}

/** Throws `ConfigurationError`; what is loaded later rejects `ready` with it. */
export function engineOf(
  api: ApiSpec,
  settings: Settings,
  given: ClientOptions,
  surroundings: Surroundings,
): Engine {
  const { now, wall, random } = surroundings;
  const { resilience: { budget, breaker, hedge, balance, pacing = true } = {}, onEvent, tracer } = given;
  const elsewhere = new Map<string, Endpoints>();
  const [first, ...others] = settings.endpoints;
  let endpoints: Endpoints = new SingleEndpoint(first?.url ?? '');
  let telemetry: Telemetry | undefined;
  const breakers = new Breakers(breaker, now, (name, state) => telemetry?.breakerChanged(name, state));
  const policies: { -readonly [name in keyof Policies]: Policies[name] } = {
    budget: new RetryBudget(budget, now),
    breakers,
    pacer: pacing ? new Pacer() : undefined,
    hedger: undefined,
    watch: unwatched,
    now,
    wall,
    random,
  };
  // Few programs need these, so that none of them is in every bundle.
  const loading: Promise<void>[] = [];
  if (hedge)
    loading.push(
      import('./policies/hedge.js').then(({ Hedger }) => {
        policies.hedger = new Hedger(hedge);
      }),
    );
  if (!first || others.length) {
    const members = settings.provider ?? settings.endpoints;
    const keep = (urls: readonly string[]) => breakers.keep([...urls, ...elsewhere.keys()]);
    loading.push(
      Promise.all([
        import('./balance/balanced.js'),
        import('./balance/policy.js'),
        import('./balance/pool.js'),
      ]).then(([{ Balanced }, { resolveBalance }, { EndpointPool }]) => {
        const pool = new EndpointPool(resolveBalance(balance), surroundings, (event) =>
          telemetry?.endpointChanged(event),
        );
        endpoints = new Balanced(pool, members, now, keep);
      }),
    );
  }
  if (onEvent || tracer || settings.logLevel)
    loading.push(
      import('./watch/telemetry.js').then(({ telemetryOf }) => {
        telemetry = telemetryOf({ onEvent, tracer }, settings.logLevel, api.distribution, surroundings);
        policies.watch = telemetry.watch;
      }),
    );
  const ready = loading.length ? Promise.all(loading) : undefined;
  ready?.catch(() => {}); // calls are told, if there are any
  return {
    transport: overFetch(given.fetch, surroundings),
    ready,
    policies,
    endpointsAt(address) {
      if (address === undefined) return endpoints;
      const found = elsewhere.get(address) ?? new SingleEndpoint(address);
      elsewhere.set(address, found);
      return found;
    },
  };
}
