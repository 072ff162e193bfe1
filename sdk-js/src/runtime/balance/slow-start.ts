/** The share of an endpoint that has just come: Envoy's slow start. */

import type { ResolvedBalance } from './policy.js';

/**
 * The part of its weight that an endpoint of that age has, up to 1.
 *
 * `max(minWeight, (max(age, 1 s) / slowStart) ** (1 / aggression))`, as in Envoy.
 */
export function ramp(
  { slowStartMs, slowStartMinWeight, slowStartAggression }: ResolvedBalance,
  ageMs: number,
): number {
  if (ageMs >= slowStartMs) return 1;
  const passed = Math.min(1, Math.max(ageMs, 1000) / slowStartMs);
  return Math.max(slowStartMinWeight, passed ** (1 / slowStartAggression));
}
