/** The attempts of one call: where each goes, what it carries, and who is told how it ended. */

import { operationFailed, type Settle } from '../policies/breaker.js';
import type { CallWatch } from '../watch/watch.js';
import { type HeaderList, isAnswer, type Outcome, type Send } from '../wire.js';
import type { Call, Policies } from './plan.js';

/** One that is under way. */
export interface Attempt {
  readonly number: number;
  readonly step: Send;
  /** Tells everybody how it ended; undefined where it was given up. */
  readonly end: Settle;
}

/** Begins them; knows which endpoints were tried, and how much time is left for all. */
export interface Attempts {
  /** Of those that were begun. */
  number(): number;
  /** Milliseconds until the call has to be over. */
  leftMs(): number;
  /** Chooses an endpoint and takes leave of its breakers; undefined where they refuse. */
  begin(headers: HeaderList): Attempt | undefined;
  /** Whether there is no reason to wait: nobody was there, and another endpoint has not been tried. */
  mayGoElsewhere(outcome: Outcome): boolean;
  /** Milliseconds until a breaker of any endpoint lets an attempt through; 0 where one does now. */
  refusedMs(): number;
}

const nobodyWasThere = (outcome: Outcome | undefined) =>
  outcome !== undefined && !isAnswer(outcome) && outcome.kind.startsWith('connect');

export function attemptsOf(call: Call, policies: Policies, watch: CallWatch | undefined): Attempts {
  const { operation, endpoints, request, headerPrefix, idleMs, keepOpen } = call;
  const { breakers, hedger, now } = policies;
  const { key } = operation;
  const deadline = now() + call.timeoutMs;
  const tried: string[] = [];
  /** Where nobody was there: called again only where there is nobody else, not even an ejected one. */
  const gone: string[] = [];
  const leftMs = () => deadline - now();
  const refusesForMs = (url: string) => breakers.refusesForMs(url, key);

  function contractHeaders(timeLeftMs: number): HeaderList {
    if (!headerPrefix) return [];
    const attempt = [`${headerPrefix}attempt`, `${tried.length}`] as const;
    const left = [`${headerPrefix}timeout-ms`, `${Math.max(1, Math.floor(timeLeftMs))}`] as const;
    return request.openEnded ? [attempt] : [attempt, left];
  }

  function begin(headers: HeaderList): Attempt | undefined {
    // Nothing runs between the two, so that who is picked is admitted.
    const pick =
      (gone.length && endpoints.pick(tried, (url) => !(gone.includes(url) || refusesForMs(url)))) ||
      endpoints.pick(tried, (url) => !refusesForMs(url));
    const settle = pick && breakers.admit(pick.endpoint.url, key);
    if (!settle) return undefined;
    const { endpoint } = pick;
    const number = tried.push(endpoint.url);
    const traced = watch?.attemptStarted(number, request.method, endpoint.url + request.target) ?? [];
    // A trace that the caller has sent along by hand is the one that counts.
    const added = traced.filter(([name]) => !request.headers.some(([given]) => given === name));
    const [began, timeLeftMs] = [now(), leftMs()];
    const step: Send = {
      step: 'send',
      request,
      endpoint,
      headers: [...headers, ...added, ...contractHeaders(timeLeftMs)],
      timeLeftMs: Math.min(timeLeftMs, call.attemptTimeoutMs ?? timeLeftMs),
      idleMs,
      keepOpen,
    };
    const end = (outcome: Outcome | undefined) => {
      const failed = operationFailed(outcome);
      settle(outcome);
      if (nobodyWasThere(outcome)) gone.push(endpoint.url);
      endpoints.settle(pick, failed === undefined ? failed : !failed);
      if (isAnswer(outcome) && outcome.status < 300) hedger?.of(key).record(now() - began);
      watch?.attemptFinished(number, outcome);
    };
    return { number, step, end };
  }

  return {
    number: () => tried.length,
    leftMs,
    begin,
    mayGoElsewhere: (outcome) =>
      nobodyWasThere(outcome) && endpoints.urls().some((url) => !tried.includes(url)),
    refusedMs: () => {
      const waits = endpoints.urls().map(refusesForMs);
      return waits.length && Math.min(...waits);
    },
  };
}
