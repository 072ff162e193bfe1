/** What only some clients need: several endpoints, hedging, listeners. Loaded where the options ask for one of them. */

import type { Parts } from './engine.js';
import type { ClientOptions, Settings } from './settings.js';
import type { Surroundings } from './surroundings.js';

/** Fills in what the options ask for; rejects with `ConfigurationError`. */
export async function complete(
  parts: Parts,
  settings: Settings,
  given: ClientOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { onEvent, tracer, resilience: { hedge } = {} } = given;
  const { endpoints, logLevel, distribution } = settings;
  await Promise.all([
    endpoints.length !== 1 && balance(parts, settings, given, surroundings),
    hedge &&
      import('./policies/hedge.js').then(({ Hedger }) => {
        parts.policies.hedger = new Hedger(hedge);
      }),
    (onEvent || tracer || logLevel) &&
      import('./watch/telemetry.js').then(({ telemetryOf }) => {
        parts.telemetry = telemetryOf({ onEvent, tracer }, logLevel, distribution, surroundings);
        parts.policies.watch = parts.telemetry.watch;
      }),
  ]);
}

async function balance(
  parts: Parts,
  { endpoints, provider }: Settings,
  { resilience }: ClientOptions,
  surroundings: Surroundings,
): Promise<void> {
  const [{ Balanced }, { resolveBalance }, { EndpointPool }] = await Promise.all([
    import('./balance/balanced.js'),
    import('./balance/policy.js'),
    import('./balance/pool.js'),
  ]);
  const forget = (urls: readonly string[]) => parts.policies.breakers.forget(urls);
  const pool = new EndpointPool(resolveBalance(resilience?.balance), surroundings, (event) =>
    parts.telemetry?.endpointChanged(event),
  );
  parts.endpoints = new Balanced(pool, provider ?? endpoints, surroundings.now, forget);
}
