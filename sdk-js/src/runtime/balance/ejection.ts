/** Leaves endpoints out that fail, and takes them back: outlier detection as in Envoy and gRPC A50. */

import type { EndpointEjected, EndpointRestored } from '../watch/events.js';
import { withoutUser } from '../wire.js';
import type { Health } from './health.js';
import type { Member } from './member.js';
import type { ResolvedEjection } from './policy.js';
import { sum } from './sum.js';

export type HealthEvent = EndpointEjected | EndpointRestored;

/**
 * Decides on the given clock, whenever the pool is used.
 *
 * There is no timer: an interval is judged at the first use after its end. Where nobody came for a whole further one, its
 * counts are too old to judge by, and are dropped.
 */
export class Ejection {
  readonly #policy: ResolvedEjection;
  #due: number;

  constructor(policy: ResolvedEjection, now: number) {
    this.#policy = policy;
    this.#due = now + policy.intervalMs;
  }

  /** What the time alone brings: endpoints come back, and an interval ends. */
  turn(members: readonly Member[], now: number): HealthEvent[] {
    const events: HealthEvent[] = [];
    for (const member of members) {
      const until = member.health.ejectedUntil;
      if (until === undefined || until > now) continue;
      member.health.restore(until);
      member.rampFrom = until;
      events.push({ type: 'EndpointRestored', endpoint: withoutUser(member.endpoint.url) });
    }
    if (now < this.#due) return events;
    if (now < this.#due + this.#policy.intervalMs) events.push(...this.#judge(members, now));
    for (const { health } of members) health.forgetInterval();
    this.#due = now + this.#policy.intervalMs;
    return events;
  }

  /** Takes in how an attempt ended; one from before the endpoint changed its state says nothing. */
  count(
    members: readonly Member[],
    member: Member,
    isSuccess: boolean,
    began: number,
    now: number,
  ): HealthEvent[] {
    const { health } = member;
    if (health.ejectedUntil !== undefined || began < health.since) return [];
    health.count(isSuccess);
    const { consecutiveFailures } = this.#policy;
    if (consecutiveFailures === null || health.failedInARow < consecutiveFailures) return [];
    return this.#eject(members, member, `${health.failedInARow} failures in a row`, now);
  }

  #judge(members: readonly Member[], now: number): HealthEvent[] {
    const events: HealthEvent[] = [];
    for (const member of failing(this.#policy, members)) {
      const rate = percent(1 - member.health.successRate);
      events.push(...this.#eject(members, member, `${rate} % of its calls failed`, now));
    }
    for (const member of outliers(this.#policy, members)) {
      const reason = `${percent(member.health.successRate)} % of its calls succeeded, far fewer than elsewhere`;
      events.push(...this.#eject(members, member, reason, now));
    }
    return events;
  }

  /** Ejects it, unless it is already, or too many are. */
  #eject(members: readonly Member[], member: Member, reason: string, now: number): HealthEvent[] {
    const { baseEjectionMs, maxEjectionMs, maxEjectionPercent, intervalMs } = this.#policy;
    const { health, endpoint } = member;
    const ejected = members.filter((other) => other.health.ejectedUntil !== undefined).length;
    const part = Math.floor((members.length * maxEjectionPercent) / 100);
    const allowed = Math.min(members.length - 1, Math.max(1, part));
    if (health.ejectedUntil !== undefined || ejected >= allowed || !members.includes(member)) return [];
    health.timesEjected = 1 + forgiven(health, intervalMs, now);
    const forMs = Math.min(baseEjectionMs * health.timesEjected, Math.max(baseEjectionMs, maxEjectionMs));
    health.eject(now + forMs, now);
    return [{ type: 'EndpointEjected', endpoint: withoutUser(endpoint.url), forMs, reason }];
  }
}

/** How many ejections still count: one less for each interval that it has been healthy since. */
function forgiven({ timesEjected, since }: Health, intervalMs: number, now: number): number {
  return Math.max(0, timesEjected - Math.floor((now - since) / intervalMs));
}

/** Whose calls failed for the most part in this interval. */
function failing(policy: ResolvedEjection, members: readonly Member[]): readonly Member[] {
  const threshold = policy.failurePercentageThreshold;
  const judged = busy(members, policy.failurePercentageRequestVolume);
  if (threshold === null || judged.length < policy.failurePercentageMinimumHosts) return [];
  return judged.filter(({ health }) => 100 * health.failures >= threshold * health.volume);
}

/** Whose calls succeeded less than `mean - factor * stdev` of all, the deviation being that of all. */
function outliers(policy: ResolvedEjection, members: readonly Member[]): readonly Member[] {
  const factor = policy.successRateStdevFactor;
  const judged = busy(members, policy.successRateRequestVolume);
  if (factor === null || !judged.length || judged.length < policy.successRateMinimumHosts) return [];
  const rates = judged.map(({ health }) => health.successRate);
  const mean = sum(rates) / rates.length;
  const stdev = Math.sqrt(sum(rates.map((rate) => (rate - mean) ** 2)) / rates.length);
  return judged.filter(({ health }) => health.successRate < mean - factor * stdev);
}

function busy(members: readonly Member[], volume: number): readonly Member[] {
  return members.filter(
    ({ health }) => health.ejectedUntil === undefined && health.volume > 0 && health.volume >= volume,
  );
}

/** Whole, a half to the even one. */
function percent(part: number): number {
  const exact = 100 * part;
  const whole = Math.round(exact);
  return exact % 1 === 0.5 && whole % 2 ? whole - 1 : whole;
}
