/** How attempts are spread over several endpoints, and when endpoints are left out for a while. */

import { ConfigurationError } from '../errors/local.js';

/**
 * `p2c_ewma`: of two endpoints drawn at random, the one with the shorter queue in time; `weighted`: turns in proportion to
 * the weights; `least_connections`: the fewest attempts under way for its weight; `round_robin`: equal turns, whatever the
 * weights.
 */
export type Algorithm = 'p2c_ewma' | 'round_robin' | 'weighted' | 'least_connections';

/**
 * When an endpoint that fails is left out, and for how long.
 *
 * The detectors, their names and formulas are those of Envoy's outlier detection and of gRPC A50. Each is turned off by
 * null. Defaults differ from theirs where a client sees fewer endpoints and fewer calls than a proxy does: see
 * `maxEjectionPercent` and `failurePercentage*`.
 */
export interface EjectionPolicy {
  /**
   * Failures in a row after which an endpoint is ejected at once.
   *
   * @default 5
   */
  readonly consecutiveFailures?: number | null;
  /**
   * Between two looks at the rates; also how long an endpoint has to behave to be forgiven one ejection.
   *
   * @default 10_000
   */
  readonly intervalMs?: number;
  /**
   * An endpoint is ejected for `min(baseEjectionMs * times, max(baseEjectionMs, maxEjectionMs))`; `times` counts its
   * ejections, less one for each healthy interval.
   *
   * @default 30_000
   */
  readonly baseEjectionMs?: number;
  /** @default 300_000 */
  readonly maxEjectionMs?: number;
  /**
   * Of all endpoints, ejected at the same time; one always may be, and the last one never is.
   *
   * @default 50
   */
  readonly maxEjectionPercent?: number;
  /**
   * Of an endpoint's calls in one interval: that many failures or more eject it.
   *
   * @default 85
   */
  readonly failurePercentageThreshold?: number | null;
  /**
   * Endpoints that must have had the volume before anyone is judged.
   *
   * @default 2
   */
  readonly failurePercentageMinimumHosts?: number;
  /**
   * Calls in an interval below which an endpoint is not judged.
   *
   * @default 20
   */
  readonly failurePercentageRequestVolume?: number;
  /**
   * An endpoint is ejected whose share of successes in one interval is below `mean - factor * stdev` of all endpoints with
   * the volume.
   *
   * @default 1.9
   */
  readonly successRateStdevFactor?: number | null;
  /** @default 5 */
  readonly successRateMinimumHosts?: number;
  /** @default 100 */
  readonly successRateRequestVolume?: number;
}

/** How the attempts of a client are spread over its endpoints. */
export interface BalancePolicy {
  /** @default 'p2c_ewma' */
  readonly algorithm?: Algorithm;
  /** Null: an endpoint that fails is called like the others. */
  readonly ejection?: EjectionPolicy | null;
  /**
   * For so long the share of an endpoint grows that comes back or is new; 0: it has it all at once.
   *
   * @default 30_000
   */
  readonly slowStartMs?: number;
  /**
   * 1: the share grows linearly; above 1: faster at first (Envoy's `aggression`).
   *
   * @default 1
   */
  readonly slowStartAggression?: number;
  /**
   * The share it begins with (Envoy's `min_weight_percent`), above 0, 1 at most.
   *
   * @default 0.1
   */
  readonly slowStartMinWeight?: number;
  /**
   * Where a smaller part of the endpoints than this is healthy, ejections are ignored: the few that are left would be
   * overrun, and perhaps it is not the endpoints that fail. 0: never (Envoy's).
   *
   * @default 0.5
   */
  readonly panicThreshold?: number;
}

/** A policy of ejection with nothing left open. */
export type ResolvedEjection = Required<EjectionPolicy>;

/** A policy with nothing left open. */
export interface ResolvedBalance extends Required<Omit<BalancePolicy, 'ejection'>> {
  readonly ejection: ResolvedEjection | null;
}

const EJECTION: ResolvedEjection = {
  consecutiveFailures: 5,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectionPercent: 50,
  failurePercentageThreshold: 85,
  failurePercentageMinimumHosts: 2,
  failurePercentageRequestVolume: 20,
  successRateStdevFactor: 1.9,
  successRateMinimumHosts: 5,
  successRateRequestVolume: 100,
};

const BALANCE = {
  algorithm: 'p2c_ewma' as Algorithm,
  slowStartMs: 30_000,
  slowStartAggression: 1,
  slowStartMinWeight: 0.1,
  panicThreshold: 0.5,
};

const ALGORITHMS: readonly string[] = ['p2c_ewma', 'round_robin', 'weighted', 'least_connections'];

/** The policy with its defaults; throws `ConfigurationError`. */
export function resolveBalance({ ejection, ...given }: BalancePolicy = {}): ResolvedBalance {
  const policy = { ...complete(given, BALANCE, 'balance'), ejection: resolveEjection(ejection) };
  if (!ALGORITHMS.includes(policy.algorithm))
    throw new ConfigurationError(`algorithm must be ${ALGORITHMS.join(', ')}, not ${policy.algorithm}`);
  check(policy, 'slowStartMs', { least: 0 });
  check(policy, 'slowStartAggression', { above: 0 });
  check(policy, 'slowStartMinWeight', { above: 0, most: 1 });
  check(policy, 'panicThreshold', { least: 0, most: 1 });
  return policy;
}

function resolveEjection(given: EjectionPolicy | null = {}): ResolvedEjection | null {
  if (given === null) return null;
  const policy = complete(given, EJECTION, 'ejection');
  check(policy, 'consecutiveFailures', { least: 1 });
  check(policy, 'intervalMs', { above: 0 });
  check(policy, 'baseEjectionMs', { above: 0 });
  check(policy, 'maxEjectionMs', { above: 0 });
  check(policy, 'maxEjectionPercent', { least: 0, most: 100 });
  check(policy, 'failurePercentageThreshold', { above: 0, most: 100 });
  check(policy, 'failurePercentageMinimumHosts', { least: 0 });
  check(policy, 'failurePercentageRequestVolume', { least: 0 });
  check(policy, 'successRateStdevFactor', { above: 0 });
  check(policy, 'successRateMinimumHosts', { least: 0 });
  check(policy, 'successRateRequestVolume', { least: 0 });
  return policy;
}

/** What was given, and the defaults of what was not; a name that nobody reads would be lost without a word. */
function complete<T extends object>(given: Partial<T>, defaults: T, where: string): T {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(defaults, name)) throw new ConfigurationError(`${where} has no member ${name}`);
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(said) };
}

interface Range {
  readonly least?: number;
  readonly above?: number;
  readonly most?: number;
}

/** Throws `ConfigurationError`; NaN is never in range, null turns off what may be. */
function check<T extends object>(policy: T, name: keyof T & string, range: Range): void {
  const { least = -Infinity, above = -Infinity, most = Infinity } = range;
  const value: unknown = policy[name];
  if (value === null && (name === 'consecutiveFailures' || /Threshold$|Factor$/.test(name))) return;
  if (typeof value === 'number' && value >= least && value > above && value <= most) return;
  const limits = [
    least > -Infinity && `${least} or more`,
    above > -Infinity && `above ${above}`,
    most < Infinity && `${most} at most`,
  ].filter(Boolean);
  throw new ConfigurationError(`${name} must be ${limits.join(', ')}, not ${String(value)}`);
}
