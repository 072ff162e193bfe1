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
export interface RetryBudget {
  /** A call begins. */
  deposit(): void;
  /** Takes a token for one more attempt; false where none is left. */
  withdraw(): boolean;
}

/** A full one; null: retries cost nothing. */
export function budgetOf(policy: BudgetPolicy | null | undefined, now: () => number): RetryBudget {
  const { perCall, perSecond, reserve } = resolveBudget(policy);
  let tokens = reserve;
  let at = now();
  const add = (more: number) => {
    tokens = Math.min(tokens + more, reserve);
  };
  return {
    deposit: () => add(perCall),
    withdraw() {
      const passedMs = now() - at;
      at += passedMs;
      add((passedMs / 1000) * perSecond);
      // Ten tenths are not quite 1 in binary.
      const granted = tokens >= 1 - 1e-9;
      if (granted) tokens--;
      return granted;
    },
  };
}
