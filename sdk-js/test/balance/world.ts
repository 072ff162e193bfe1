/** A pool on a virtual clock, and calls that overlap in it. */

import assert from 'node:assert/strict';
import { type BalancePolicy, resolveBalance } from '../../src/runtime/balance/policy.js';
import { EndpointPool } from '../../src/runtime/balance/pool.js';
import type { Pick } from '../../src/runtime/flow/endpoints.js';
import type { EndpointEjected, EndpointRestored } from '../../src/runtime/watch/events.js';
import type { Endpoint } from '../../src/runtime/wire.js';
import { Clock, seeded } from '../clock.js';

export const A = 'https://a.test';
export const B = 'https://b.test';
export const C = 'https://c.test';

export type Shares = Readonly<Record<string, number>>;

interface Asked {
  readonly avoid?: readonly string[];
  readonly admits?: (url: string) => boolean;
  readonly tookMs?: number;
}

/** A pool, its clock, and what it told. */
export class Balancing {
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: (EndpointEjected | EndpointRestored)[] = [];
  readonly pool: EndpointPool;

  constructor(endpoints: readonly (Endpoint | string)[], policy: BalancePolicy = {}, seed = 20) {
    this.random = seeded(seed);
    this.clock = new Clock(this.random);
    this.pool = new EndpointPool(resolveBalance(policy), this.clock, (event) => this.events.push(event));
    this.update(...endpoints);
  }

  update(...endpoints: readonly (Endpoint | string)[]): void {
    this.pool.update(endpoints.map((each) => (typeof each === 'string' ? { url: each } : each)));
  }

  /** One attempt from beginning to end; says where it went, nowhere being an empty string. */
  attempt(verdict: boolean | undefined = true, { avoid, admits, tookMs = 0 }: Asked = {}): string {
    const pick = this.pool.pick(avoid, admits);
    if (!pick) return '';
    this.clock.pass(tookMs);
    this.pool.settle(pick, verdict);
    return pick.endpoint.url;
  }

  /** An attempt of whose end nothing is known. */
  look(asked?: Asked): string {
    const pick = this.pool.pick(asked?.avoid, asked?.admits);
    if (!pick) return '';
    this.clock.pass(asked?.tookMs ?? 0);
    this.pool.settle(pick, undefined);
    return pick.endpoint.url;
  }

  /** Attempts at one endpoint, whatever the balancer would say. */
  at(url: string, verdict: boolean, times = 1): void {
    for (let time = 0; time < times; time++) assert.equal(this.attempt(verdict, { admits: only(url) }), url);
  }

  /** Where so many attempts went, one after the other, each of them done at once. */
  shares(attempts: number, asked: Asked = {}): Shares {
    return counted(Array.from({ length: attempts }, () => this.attempt(true, asked)));
  }

  /** Where they went when they overlapped: they arrive at random, and take about so long. */
  load(attempts: number, everyMs: number, latencyMs: Shares): Shares {
    const served: string[] = [];
    const underWay: { readonly at: number; readonly pick: Pick }[] = [];
    for (let number = 0; number < attempts; number++) {
      const arrival = this.clock.now() - everyMs * Math.log(1 - this.random());
      underWay.sort((one, other) => one.at - other.at);
      while (underWay[0] && underWay[0].at <= arrival) this.#settleFirst(underWay);
      this.clock.pass(arrival - this.clock.now());
      const pick = this.pool.pick();
      assert(pick);
      const { url } = pick.endpoint;
      served.push(url);
      underWay.push({ at: arrival + (latencyMs[url] ?? 0) * (0.8 + 0.4 * this.random()), pick });
    }
    for (const { pick } of underWay) this.pool.settle(pick, true);
    return counted(served);
  }

  #settleFirst(underWay: { readonly at: number; readonly pick: Pick }[]): void {
    const first = underWay.shift();
    if (!first) return;
    this.clock.pass(first.at - this.clock.now());
    this.pool.settle(first.pick, true);
  }

  get ejected(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'EndpointEjected' ? [event.endpoint] : []));
  }
}

/** How often each is there. */
export function counted(urls: readonly string[]): Shares {
  const shares: Record<string, number> = {};
  for (const url of urls) shares[url] = (shares[url] ?? 0) + 1;
  return shares;
}

/** Pearson's chi-squared of counts against the shares that the weights promise. */
export function misfit(found: Shares, weights: Shares): number {
  const sum = (shares: Shares) => Object.values(shares).reduce((total, share) => total + share, 0);
  return Object.entries(weights).reduce((total, [url, weight]) => {
    const expected = (sum(found) * weight) / sum(weights);
    return total + ((found[url] ?? 0) - expected) ** 2 / expected;
  }, 0);
}

/** What a breaker would admit. */
export function only(...urls: readonly string[]): (url: string) => boolean {
  return (url) => urls.includes(url);
}

/** The same for all. */
export function each<T>(urls: readonly string[], value: T): Record<string, T> {
  return Object.fromEntries(urls.map((url) => [url, value]));
}
