/** The endpoints of a client, and which of them takes the next attempt. */

import type { Pick } from '../flow/endpoints.js';
import type { Endpoint } from '../wire.js';
import { BALANCERS } from './balancer.js';
import { Ejection, type HealthEvent } from './ejection.js';
import { Member } from './member.js';
import type { ResolvedBalance } from './policy.js';
import { ramp } from './slow-start.js';

/** Time and chance. */
export interface Chances {
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** From 0 to 1, exclusive. */
  readonly random: () => number;
}

/** What only the pool knows of a pick. */
interface Hold {
  readonly member: Member;
  readonly began: number;
}

/** Shared by all calls of a client. */
export class EndpointPool {
  readonly #policy: ResolvedBalance;
  readonly #chances: Chances;
  readonly #observe: (event: HealthEvent) => void;
  readonly #ejection: Ejection | undefined;
  /** Of the picks that are not settled. */
  readonly #holds = new WeakMap<Pick, Hold>();
  #members: readonly Member[] = [];

  /** `observe` is told who is ejected, and who is back. */
  constructor(policy: ResolvedBalance, chances: Chances, observe: (event: HealthEvent) => void = () => {}) {
    this.#policy = policy;
    this.#chances = chances;
    this.#observe = observe;
    this.#ejection = policy.ejection ? new Ejection(policy.ejection, chances.now()) : undefined;
  }

  /** Of all endpoints, ejected or not. */
  urls(): readonly string[] {
    return this.#members.map(({ endpoint }) => endpoint.url);
  }

  /**
   * Makes these the endpoints; those that stay keep their statistics, new ones start slowly.
   *
   * The first ones have nobody beside them to take their load meanwhile, and start at once. Of two with the same URL the
   * last one counts.
   */
  update(endpoints: readonly Endpoint[]): void {
    const now = this.#chances.now();
    const wanted = new Map(endpoints.map((endpoint) => [endpoint.url, endpoint]));
    const known = new Map(this.#members.map((member) => [member.endpoint.url, member]));
    const fresh = [...wanted.values()].filter(({ url }) => !known.has(url));
    for (const endpoint of this.#shuffled(fresh)) {
      const member = new Member(endpoint, now);
      if (this.#members.length) member.rampFrom = now;
      known.set(endpoint.url, member);
    }
    this.#members = [...known.values()].filter((member) => {
      const endpoint = wanted.get(member.endpoint.url);
      if (endpoint) member.endpoint = endpoint;
      return endpoint !== undefined;
    });
  }

  /** In an order of this client's own: else all that start at once would begin with the same one. */
  #shuffled(endpoints: readonly Endpoint[]): readonly Endpoint[] {
    // Fisher and Yates, from the last one down.
    const left = [...endpoints];
    const shuffled: Endpoint[] = [];
    for (let last = left.length - 1; last > 0; last--) {
      const other = Math.floor(this.#chances.random() * (last + 1));
      const taken = left[other];
      const moved = left.pop();
      if (!taken || !moved) break;
      if (other < last) left[other] = moved;
      shuffled.unshift(taken);
    }
    return [...left, ...shuffled];
  }

  /**
   * An endpoint for one attempt, to be settled once; undefined where `admits` refuses every one.
   *
   * Those in `avoid`, which the call has tried, are used only if no other healthy one is left; ejected ones only after
   * those.
   */
  pick(avoid: readonly string[] = [], admits: (url: string) => boolean = () => true): Pick | undefined {
    const now = this.#chances.now();
    const admitted = this.#members.filter(({ endpoint }) => admits(endpoint.url));
    this.#tell(this.#ejection?.turn(this.#members, now));
    const [first, ...others] = this.#candidates(admitted, avoid);
    return first && this.#picked([first, ...others], now);
  }

  /**
   * Says how the attempt ended: whether the endpoint did its part, undefined where that says nothing of it.
   *
   * The time it took counts in any case: the loser of a race was slow, and was cancelled for it.
   */
  settle(pick: Pick, verdict: boolean | undefined): void {
    const hold = this.#holds.get(pick);
    if (!hold) return;
    this.#holds.delete(pick);
    const now = this.#chances.now();
    const { member, began } = hold;
    member.inFlight -= 1;
    member.latency.observe(Math.max(0, now - began), now);
    this.#tell(this.#ejection?.turn(this.#members, now));
    if (verdict !== undefined) this.#tell(this.#ejection?.count(this.#members, member, verdict, began, now));
  }

  /** The best of what is left. */
  #candidates(admitted: readonly Member[], avoid: readonly string[]): readonly Member[] {
    const isHealthy = ({ health }: Member) => health.ejectedUntil === undefined;
    const healthy = this.#members.filter(isHealthy).length;
    const isPanic = healthy < this.#policy.panicThreshold * this.#members.length;
    const fit = isPanic ? admitted : admitted.filter(isHealthy);
    const best = fit.length ? fit : admitted;
    const untried = best.filter(({ endpoint }) => !avoid.includes(endpoint.url));
    return untried.length ? untried : best;
  }

  #picked(candidates: readonly [Member, ...Member[]], now: number): Pick {
    for (const member of candidates) {
      if (member.rampFrom === undefined) continue;
      member.ramp = ramp(this.#policy, now - member.rampFrom);
      if (member.ramp === 1) member.rampFrom = undefined;
    }
    const choose = BALANCERS[this.#policy.algorithm];
    const member = candidates.length === 1 ? candidates[0] : choose(candidates, now, this.#chances.random);
    member.inFlight += 1;
    const pick = { endpoint: member.endpoint };
    this.#holds.set(pick, { member, began: now });
    return pick;
  }

  #tell(events: readonly HealthEvent[] = []): void {
    for (const event of events) this.#observe(event);
  }
}
