/** Hedging: an attempt that takes longer than most gets another beside it, and the first answer counts. */

import type { Operation } from '../call.js';
import type { Attempt } from '../flow/attempts.js';
import { hedged } from '../flow/race.js';
import type { CallWatch } from '../watch/watch.js';
import { complete } from './complete.js';

/** When to send a second attempt: of operations that may be repeated, and within the retry budget. */
export interface HedgePolicy {
  /**
   * Of the operation's latest latencies, above 0 and below 1: the wait before the second attempt.
   *
   * @default 0.95
   */
  readonly percentile?: number;
  /** @default 1 */
  readonly minDelayMs?: number;
  /**
   * Latencies to have seen before the first hedge.
   *
   * @default 20
   */
  readonly minSamples?: number;
  /**
   * Latencies that count, the latest ones.
   *
   * @default 200
   */
  readonly samples?: number;
}

/** The policy with its defaults; throws `ConfigurationError`. */
export function resolveHedge(policy?: HedgePolicy): Required<HedgePolicy> {
  return complete('hedge', { percentile: 0.95, minDelayMs: 1, minSamples: 20, samples: 200 }, policy);
}

/** The latest latencies of one operation, and their percentile. */
export class Latencies {
  readonly #policy: Required<HedgePolicy>;
  readonly #samples: number[] = [];
  #fresh = 0;
  #delayMs: number | undefined;

  constructor(policy?: HedgePolicy) {
    this.#policy = resolveHedge(policy);
  }

  record(latencyMs: number): void {
    if (this.#samples.push(latencyMs) > this.#policy.samples) this.#samples.shift();
    this.#fresh++;
  }

  /**
   * Milliseconds after which an attempt is slow (nearest rank); undefined while too little is known.
   *
   * Sorting is what costs: a tenth of the samples has to be new before it is done again.
   */
  delayMs(): number | undefined {
    const { percentile, minDelayMs, minSamples } = this.#policy;
    const known = this.#samples.length;
    if (known < minSamples) return undefined;
    if (this.#delayMs === undefined || this.#fresh * 10 >= known) {
      const ranked = Float64Array.from(this.#samples).sort();
      this.#delayMs = Math.max(ranked[Math.ceil(percentile * known) - 1] ?? 0, minDelayMs);
      this.#fresh = 0;
    }
    return this.#delayMs;
  }
}

/** The latencies of each operation of a client, and how its attempts are hedged: clients that do not hedge hold neither. */
export class Hedger {
  readonly #policy: Required<HedgePolicy>;
  readonly #latencies = new Map<string, Latencies>();

  constructor(policy?: HedgePolicy) {
    this.#policy = resolveHedge(policy);
  }

  /** A part of a flow with a second attempt beside the `first`; undefined where there is to be none. */
  hedged(
    { key, retry }: Operation,
    first: Attempt,
    hedge: () => Attempt | undefined,
    watch: CallWatch | undefined,
  ): ReturnType<typeof hedged> | undefined {
    const afterMs = retry === 'safe' || retry === 'idempotent' ? this.of(key).delayMs() : undefined;
    return afterMs === undefined ? afterMs : hedged(first, afterMs, hedge, watch);
  }

  of(operation: string): Latencies {
    let found = this.#latencies.get(operation);
    if (!found) {
      found = new Latencies(this.#policy);
      this.#latencies.set(operation, found);
    }
    return found;
  }
}
