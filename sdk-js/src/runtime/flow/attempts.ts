/** The attempts of one call: where each goes, what it carries, and who is told how it ended. */

import { operationFailed, type Settle } from '../policies/breaker.js';
import type { CallWatch } from '../watch/watch.js';
import { type HeaderList, isAnswer, type Outcome, type Send } from '../wire.js';
import type { Pick } from './endpoints.js';
import type { Call, Policies } from './plan.js';

/** One that is under way. */
export interface Attempt {
  readonly number: number;
  readonly pick: Pick;
  readonly settle: Settle;
  readonly began: number;
  readonly step: Send;
}

/** Begins and ends them; knows which endpoints were tried, and how much time is left for all. */
export class Attempts {
  readonly #call: Call;
  readonly #policies: Policies;
  readonly #watch: CallWatch;
  readonly #deadline: number;
  readonly #tried: string[] = [];

  constructor(call: Call, policies: Policies, watch: CallWatch) {
    this.#call = call;
    this.#policies = policies;
    this.#watch = watch;
    this.#deadline = policies.now() + call.timeoutMs;
  }

  /** Of those that were begun. */
  get number(): number {
    return this.#tried.length;
  }

  /** Milliseconds until the call has to be over. */
  leftMs(): number {
    return this.#deadline - this.#policies.now();
  }

  /** Chooses an endpoint and takes leave of its breakers; undefined where they refuse. */
  begin(headers: HeaderList): Attempt | undefined {
    const { request, attemptTimeoutMs = Number.POSITIVE_INFINITY, idleMs, keepOpen } = this.#call;
    const admitted = this.#admitted();
    if (!admitted) return undefined;
    const { endpoint } = admitted.pick;
    const number = this.#tried.push(endpoint.url);
    const traced = this.#watch
      .attemptStarted(number, request.method, endpoint.url + request.target)
      // A trace that the caller has sent along by hand is the one that counts.
      .filter(([name]) => !request.headers.some(([given]) => given === name));
    const leftMs = this.leftMs();
    const step: Send = {
      step: 'send',
      request,
      endpoint,
      headers: [...headers, ...traced, ...this.#contractHeaders(number, leftMs)],
      timeLeftMs: Math.min(leftMs, attemptTimeoutMs),
      idleMs,
      keepOpen,
    };
    return { ...admitted, number, began: this.#policies.now(), step };
  }

  /** An endpoint, and leave to use it; what a breaker gave away since it was asked is left out. */
  #admitted(): { readonly pick: Pick; readonly settle: Settle } | undefined {
    const { endpoints, operation } = this.#call;
    const { breakers } = this.#policies;
    const refused: string[] = [];
    for (;;) {
      const pick = endpoints.pick(
        this.#tried,
        (url) => !refused.includes(url) && !breakers.refusesForMs(url, operation.key),
      );
      if (!pick) return undefined;
      const { url } = pick.endpoint;
      const settle = breakers.admit(url, operation.key);
      if (settle) return { pick, settle };
      endpoints.settle(pick, undefined);
      if (refused.includes(url)) return undefined; // who has one endpoint only picks it whatever is said of it
      refused.push(url);
    }
  }

  /** Tells everybody how it ended; undefined where it was given up. */
  end(attempt: Attempt, outcome: Outcome | undefined): void {
    const { hedger, now } = this.#policies;
    attempt.settle(outcome);
    const failed = operationFailed(outcome);
    this.#call.endpoints.settle(attempt.pick, failed === undefined ? failed : !failed);
    if (isAnswer(outcome) && outcome.status < 300)
      hedger?.of(this.#call.operation.key).record(now() - attempt.began);
    this.#watch.attemptFinished(attempt.number, outcome);
  }

  #contractHeaders(number: number, leftMs: number): HeaderList {
    const { headerPrefix, request } = this.#call;
    if (!headerPrefix) return [];
    const attempt = [`${headerPrefix}attempt`, `${number}`] as const;
    return request.openEnded
      ? [attempt]
      : [attempt, [`${headerPrefix}timeout-ms`, `${Math.max(1, Math.floor(leftMs))}`]];
  }

  /** Whether there is no reason to wait: nobody was there, and another endpoint has not been tried. */
  mayGoElsewhere(outcome: Outcome): boolean {
    return (
      !isAnswer(outcome) &&
      outcome.kind.startsWith('connect') &&
      this.#call.endpoints.urls().some((url) => !this.#tried.includes(url))
    );
  }

  /** Milliseconds until a breaker of any endpoint lets an attempt through; 0 where one does now. */
  refusedMs(): number {
    const { endpoints, operation } = this.#call;
    const { breakers } = this.#policies;
    const waits = endpoints.urls().map((url) => breakers.refusesForMs(url, operation.key));
    return waits.length ? Math.min(...waits) : 0;
  }
}
