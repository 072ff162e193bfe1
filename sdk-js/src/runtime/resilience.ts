/** How a client copes with servers that are slow, busy or gone: all its policies in one place. */

import type { BalancePolicy } from './balance/policy.js';
import type { BreakerPolicy } from './policies/breaker.js';
import type { BudgetPolicy } from './policies/budget.js';
import type { HedgePolicy } from './policies/hedge.js';
import type { RetryPolicy } from './policies/retry.js';

export type { BalancePolicy, BreakerPolicy, BudgetPolicy, HedgePolicy, RetryPolicy };

/**
 * The policies of a client; each has defaults for what is left out.
 *
 * @example
 * new DhatuAPI({ resilience: { retry: { maxRetries: 4 }, hedge: {}, breaker: null } })
 */
export interface Resilience {
  readonly retry?: RetryPolicy;
  /** Null: retries cost nothing. */
  readonly budget?: BudgetPolicy | null;
  /** Null: every call is tried. */
  readonly breaker?: BreakerPolicy | null;
  /**
   * How calls are spread over several base URLs.
   *
   * @default by power of two choices
   */
  readonly balance?: BalancePolicy;
  /**
   * Undefined or null: no attempt has a second one beside it. Hedging adds load, so that it has to be asked for.
   *
   * @default null
   */
  readonly hedge?: HedgePolicy | null;
  /**
   * Whether calls wait where the server's RateLimit headers leave no room, instead of being refused.
   *
   * @default true
   */
  readonly pacing?: boolean;
}
