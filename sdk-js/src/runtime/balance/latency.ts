/** How long an endpoint makes its callers wait: Finagle's peak EWMA. */

/** After so long without a peak, a cost has fallen to 1/e of it. */
export const DECAY_MS = 10_000;
/** Load of an endpoint that has work but has never finished any; more than any measured one. */
export const PENALTY = 2 ** 47;

/**
 * A moving average of latencies that jumps to every peak and forgets it slowly.
 *
 * The average is weighted by the time between observations, which come unevenly (Eckner, "Algorithms for Unevenly Spaced
 * Time Series"): `cost = cost * w + latency * (1 - w)`, `w = exp(-elapsed / DECAY_MS)`; a latency above the cost becomes the
 * cost.
 */
export class PeakEwma {
  #costMs = 0;
  #seen: number;

  constructor(now: number) {
    this.#seen = now;
  }

  /** Learns from an attempt that has ended, however it did: it kept its caller waiting for so long. */
  observe(latencyMs: number, now: number): void {
    const elapsedMs = Math.max(0, now - this.#seen);
    const weight = Math.exp(-elapsedMs / DECAY_MS);
    this.#costMs = latencyMs > this.#costMs ? latencyMs : this.#costMs * weight + latencyMs * (1 - weight);
    this.#seen = now;
  }

  /**
   * Milliseconds that one more attempt would wait: `cost * (inFlight + 1)`.
   *
   * Looking lets the cost decay, so that an endpoint that nobody picks becomes attractive again.
   */
  load(inFlight: number, now: number): number {
    this.observe(0, now);
    return this.#costMs === 0 && inFlight ? PENALTY + inFlight : this.#costMs * (inFlight + 1);
  }
}
