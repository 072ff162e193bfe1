/** Flows carried out on a clock of their own, against outcomes written down beforehand. */

import type { Operation, RetryClass } from '../../src/runtime/call.js';
import type { Body } from '../../src/runtime/encoding/content.js';
import { run } from '../../src/runtime/flow/drivers.js';
import { type Endpoints, singleEndpoint } from '../../src/runtime/flow/endpoints.js';
import { callFlow } from '../../src/runtime/flow/life.js';
import type { Call, Policies, TokenSource } from '../../src/runtime/flow/plan.js';
import { type BreakerPolicy, breakersOf } from '../../src/runtime/policies/breaker.js';
import { type BudgetPolicy, budgetOf } from '../../src/runtime/policies/budget.js';
import { type HedgePolicy, Hedger } from '../../src/runtime/policies/hedge.js';
import type { CallWatch } from '../../src/runtime/watch/watch.js';
import { type Answer, type Failure, isAnswer, type Outcome, type Send } from '../../src/runtime/wire.js';
import { Clock } from '../clock.js';

export const OK: Answer = answer(200);
export const LOST: Failure = { kind: 'lost', cause: new Error('reset') };
export const UNSENT: Failure = { kind: 'connect', cause: new Error('refused') };
export const TIMEOUT: Failure = { kind: 'timeout', cause: new Error('late') };
export const CONNECT_TIMEOUT: Failure = { kind: 'connect_timeout', cause: new Error('late') };
export const POOL_TIMEOUT: Failure = { kind: 'pool_timeout', cause: new Error('full') };

export function answer(status: number, headers: Record<string, string> = {}, text = ''): Answer {
  return { status, headers: new Headers(headers), content: new TextEncoder().encode(text), attempts: 1 };
}

/** What a call was told, in short: `['attemptFinished', 1, 'lost']`. */
export type Told = readonly [string, ...unknown[]];

export interface WorldOptions {
  readonly maxRetries?: number;
  readonly breaker?: BreakerPolicy;
  readonly budget?: BudgetPolicy;
  readonly pacing?: boolean;
  readonly hedge?: HedgePolicy;
  readonly endpoints?: Endpoints;
}

export interface CallChanges {
  readonly timeoutMs?: number;
  readonly attemptTimeoutMs?: number;
  readonly body?: Body;
  readonly prefix?: string;
  readonly tokens?: TokenSource;
}

/** One client's policies, and a script of what its attempts meet. */
export class World {
  readonly clock = new Clock();
  readonly told: Told[] = [];
  readonly sent: Send[] = [];
  readonly policies: Policies;
  readonly #endpoints: Endpoints;
  readonly #maxRetries: number;

  constructor(options: WorldOptions = {}) {
    const { now, wall, random } = this.clock;
    this.#endpoints = options.endpoints ?? singleEndpoint('https://api.test');
    this.#maxRetries = options.maxRetries ?? 2;
    this.policies = {
      budget: budgetOf(options.budget ?? null, now),
      breakers: breakersOf(options.breaker ?? null, now, (name, state) =>
        this.told.push(['breakerChanged', name, state]),
      ),
      pacer: options.pacing ? null : undefined,
      hedger: options.hedge && new Hedger(options.hedge),
      watch: (operation) => this.#watch(operation),
      now,
      wall,
      random,
    };
  }

  call(retry: RetryClass = 'safe', changes: CallChanges = {}): Call {
    const operation: Operation = { key: 'documents.get', method: 'GET', path: '/documents', retry };
    return {
      operation,
      request: { method: 'GET', target: '/things?key=secret', headers: [], body: changes.body },
      endpoints: this.#endpoints,
      timeoutMs: changes.timeoutMs ?? 60_000,
      attemptTimeoutMs: changes.attemptTimeoutMs,
      retry: { maxRetries: this.#maxRetries },
      headerPrefix: changes.prefix ?? 'x-d-',
      keepOpen: () => false,
      idleMs: 60_000,
      resume: true,
      strict: false,
      tokens: changes.tokens,
    };
  }

  /** Carries out the flow; each attempt takes `tookMs`, and reads the body it sends. */
  run(call: Call, outcomes: readonly Outcome[], tookMs = 0): Promise<Answer> {
    const script = outcomes.values();
    return this.carryOut(call, async (step) => {
      this.clock.pass(tookMs);
      for await (const _ of step.request.body?.chunks() ?? []);
      const { value } = script.next();
      if (!value) throw new Error('the script is over');
      return value;
    });
  }

  /** Carries out the flow, each attempt by `send`. */
  carryOut(
    call: Call,
    send: (step: Send, signal: AbortSignal | undefined) => Promise<Outcome>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const transport = {
      send: (step: Send, given: AbortSignal | undefined) => {
        this.sent.push(step);
        return send(step, given);
      },
    };
    return this.clock.finish(run(callFlow(call, this.policies), transport, this.clock, signal));
  }

  /** The waits so far. */
  get slept(): readonly number[] {
    return this.clock.waited;
  }

  /** What was told under one name. */
  toldOf(name: string): Told[] {
    return this.told.filter(([told]) => told === name);
  }

  #watch(operation: string): CallWatch {
    const tell =
      (name: string) =>
      (...rest: readonly unknown[]) => {
        this.told.push([name, ...rest]);
      };
    tell('callStarted')(operation);
    return {
      attemptStarted: (...told) => {
        tell('attemptStarted')(...told);
        return [['traceparent', 'made up']];
      },
      attemptFinished: (attempt, outcome) =>
        tell('attemptFinished')(attempt, isAnswer(outcome) ? outcome.status : (outcome?.kind ?? 'cancelled')),
      retryScheduled: tell('retryScheduled'),
      paced: tell('paced'),
      hedged: tell('hedged'),
      finished: (attempts, error) => tell('finished')(attempts, error && (error as { name: string }).name),
    };
  }
}

/** The headers of an attempt. */
export function headersOf(send: Send | undefined): Record<string, string> {
  return Object.fromEntries(send?.headers ?? []);
}
