/** What all calls of a client share, made from its settings once. */

import { type Endpoints, singleEndpoint } from './flow/endpoints.js';
import type { Policies } from './flow/plan.js';
import { breakersOf } from './policies/breaker.js';
import { budgetOf } from './policies/budget.js';
import type { ClientOptions, Settings } from './settings.js';
import type { Surroundings } from './surroundings.js';
import { overFetch } from './transport/over-fetch.js';
import type { Telemetry } from './watch/telemetry.js';
import type { Transport } from './wire.js';

/** Endpoints, policies and connections; clones of a client made by `withOptions` share them. */
export interface Engine {
  readonly transport: Transport;
  /** Resolves when all is loaded that the options ask for; undefined where nothing has to be. */
  readonly ready: Promise<void> | undefined;
  /** Complete when it is ready. */
  readonly policies: Policies;
  /** Those of the API itself, when it is ready. */
  readonly endpoints: Endpoints;
}

/** What is filled in later, where the options ask for it. */
export interface Parts {
  readonly policies: { -readonly [name in keyof Policies]: Policies[name] };
  endpoints: Endpoints;
  telemetry?: Telemetry;
}

/** Throws `ConfigurationError`; what is loaded later rejects `ready` with it. */
export function engineOf(settings: Settings, given: ClientOptions, surroundings: Surroundings): Engine {
  const { now, wall, random } = surroundings;
  const { resilience: { budget, breaker, hedge, pacing = true } = {}, onEvent, tracer } = given;
  const { endpoints, logLevel } = settings;
  const parts: Parts & { -readonly [name in keyof Engine]: Engine[name] } = {
    transport: overFetch(given.fetch, surroundings),
    ready: undefined,
    policies: {
      budget: budgetOf(budget, now),
      breakers: breakersOf(breaker, now, (name, state) => parts.telemetry?.breakerChanged(name, state)),
      pacer: pacing ? null : undefined,
      hedger: undefined,
      watch: undefined,
      now,
      wall,
      random,
    },
    endpoints: singleEndpoint(endpoints[0]?.url ?? ''),
  };
  if (endpoints.length !== 1 || hedge || onEvent || tracer || logLevel) {
    parts.ready = import('./extras.js').then(({ complete }) =>
      complete(parts, settings, given, surroundings),
    );
    parts.ready.catch(() => {}); // calls are told, if there are any
  }
  return parts;
}
