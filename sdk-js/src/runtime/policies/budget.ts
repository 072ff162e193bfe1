/** The retry budget: what repeating may add to the load, so that callers do not make an outage worse. */

import { complete } from './complete.js';

/** What retries and hedges may cost, all together. */
export interface BudgetPolicy {
  /**
   * Tokens that each call pays in, from 0 to 1; a retry or a hedge takes one.
   *
   * @default 0.1
   */
  readonly perCall?: number;
  /**
   * Tokens that come with every second, so that a client which calls rarely can still retry.
   *
   * @default 0.1
   */
  readonly perSecond?: number;
  /**
   * Tokens at the start, and the most that are kept (gRPC proposal A6 keeps 10).
   *
   * @default 10
   */
  readonly reserve?: number;
}

/** The policy with its defaults, null for a budget that never ends; throws `ConfigurationError`. */
export function resolveBudget(policy?: BudgetPolicy | null): Required<BudgetPolicy> {
  const given = policy === null ? { reserve: Infinity } : policy;
  return complete('budget', { perCall: 0.1, perSecond: 0.1, reserve: 10 }, given);
}

/**
 * A bucket of tokens, shared by all calls of a client.
 *
 * Over any stretch of `n` calls in `t` seconds at most `reserve + perCall * n + perSecond * t` attempts are added: in an
 * outage, 1,000 calls in ten seconds make at most 1,111 attempts. A token is taken when a retry is queued, not when it
 * is sent (envoy#30205): what waits would otherwise come all at once.
 */
export class RetryBudget {
  readonly #policy: Required<BudgetPolicy>;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  /** Null: retries cost nothing. */
  constructor(policy: BudgetPolicy | null | undefined, now: () => number) {
    this.#policy = resolveBudget(policy);
    this.#now = now;
    this.#tokens = this.#policy.reserve;
    this.#at = now();
  }

  /** A call begins. */
  deposit(): void {
    this.#add(this.#policy.perCall);
  }

  /** Takes a token for one more attempt; false where none is left. */
  withdraw(): boolean {
    const now = this.#now();
    this.#add(((now - this.#at) / 1000) * this.#policy.perSecond);
    this.#at = now;
    // Ten tenths are not quite 1 in binary.
    const granted = this.#tokens >= 1 - 1e-9;
    if (granted) this.#tokens--;
    return granted;
  }

  #add(tokens: number): void {
    this.#tokens = Math.min(this.#tokens + tokens, this.#policy.reserve);
  }
}
