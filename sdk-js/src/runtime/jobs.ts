/** Work that goes on after the answer: when to ask how far it is, and how it ended. */

import type { AnswerHead, Arguments, CallOptions, Operation } from './call.js';
import { DecodingError, JobFailedError, JobTimeoutError } from './errors/local.js';
import { member, withMethods } from './members.js';
import type { GoesOn, Origin } from './origin.js';
import { retryAfterMs } from './policies/retry-after.js';
import { sleep } from './surroundings.js';

const GROWTH = 1.5;
/** Times the first interval. */
const SLOWEST = 10;

type State = string | number | boolean;

/** How work is followed that goes on after the answer; members are named by their way from the answer's root. */
export interface JobSpec {
  /** The operation that says how far the job is; a function, since it may be the one that holds this. */
  readonly status: () => Operation;
  /** Of that operation: which job. */
  readonly argument: string;
  readonly done: readonly State[];
  readonly failed?: readonly State[];
  /** @default 'id' */
  readonly id?: string;
  /** @default 'state' */
  readonly state?: string;
  /** Holds why the job failed. */
  readonly error?: string;
  /** @default 1000 */
  readonly pollMs?: number;
}

/** How a job is waited for. */
export interface WaitOptions<S> {
  /**
   * For the whole wait, in milliseconds.
   *
   * @default no end
   */
  timeoutMs?: number;
  /** Called with every answer, and awaited. */
  onProgress?: (job: S) => unknown;
  /** Ends the wait when it fires, with the signal's reason; the job goes on. */
  signal?: AbortSignal;
}

/** What a job can do beside being what was answered. */
export interface JobMethods<S> {
  /**
   * Asks how far the job is, ever more patiently, until it has succeeded, and gives how it is then.
   *
   * Before question `n` (1 = first) it waits `pollMs * min(1.5 ** (n - 1), 10)`, but never less than the server asks for in
   * Retry-After. The last question comes when the time is over. Rejects with `JobFailedError` where the job failed,
   * `JobTimeoutError` where the time ran out.
   */
  wait(options?: WaitOptions<S>): Promise<S>;
}

/**
 * Work that goes on after the answer; a member of the answer called `wait` comes first.
 *
 * @typeParam T the answer
 * @typeParam S how the job is when it has ended
 */
export type Job<T, S = T> = T & (string extends keyof T ? JobMethods<S> : Omit<JobMethods<S>, keyof T>);

/** Describes answers that tell of a job. */
export function job(spec: JobSpec): GoesOn {
  return {
    bind(origin, value) {
      if (typeof value !== 'object' || value === null) return value; // another answer
      const wait = (options?: WaitOptions<unknown>) => waitFor(origin, spec, value, options);
      return withMethods(value, { wait });
    },
  };
}

async function waitFor(
  origin: Origin,
  spec: JobSpec,
  begun: object,
  { timeoutMs, onProgress, signal }: WaitOptions<unknown> = {},
): Promise<unknown> {
  const { client, surroundings, invocation } = origin;
  const status = spec.status();
  if (isOfOneKind(invocation.operation, status) && hasEnded(origin, spec, begun)) return begun;
  const deadline = surroundings.now() + (timeoutMs ?? Infinity);
  const args = argumentsOf(origin, spec, begun, status);
  let { headers } = origin.answer;
  let job: unknown = begun;
  for (let growth = 1; ; growth = Math.min(growth * GROWTH, SLOWEST)) {
    const leftMs = deadline - surroundings.now();
    if (leftMs <= 0) throw new JobTimeoutError(invocation.operation.key, job, timeoutMs ?? 0);
    const toldMs = retryAfterMs(headers, surroundings.wall()) ?? 0;
    await sleep(surroundings, Math.min(Math.max((spec.pollMs ?? 1000) * growth, toldMs), leftMs), signal);
    headers = new Headers();
    const onAnswer = (head: AnswerHead) => {
      headers = head.headers;
    };
    job = await client.call(status, args, { ...optionsOf(invocation.options, signal), onAnswer });
    await onProgress?.(job);
    if (hasEnded(origin, spec, job)) return job;
  }
}

/** Whether the answer that began a job is one like those to come, which tell its state. */
function isOfOneKind(begun: Operation, status: Operation): boolean {
  const shapes = new Set(status.goesOn && status.responses?.map(({ shape }) => shape));
  return begun === status || !!begun.responses?.some(({ shape }) => shape && shapes.has(shape));
}

/** Those of the status operation: the id, and what it shares with the operation that began the job. */
function argumentsOf(origin: Origin, spec: JobSpec, job: object, status: Operation): Arguments {
  const given = origin.invocation.arguments;
  const args: Record<string, unknown> = {};
  for (const argument of status.parameters?.takes ?? []) args[argument] = given[argument];
  return { ...args, [spec.argument]: member(job, spec.id ?? 'id') };
}

/** Headers of the first call that name a tenant or the like go along, but not what its body was. */
function optionsOf({ extraHeaders = {} }: CallOptions, signal: AbortSignal | undefined): CallOptions {
  const headers = Object.entries(extraHeaders).filter(([name]) => !/^(accept|content-type)$/i.test(name));
  return { extraHeaders: Object.fromEntries(headers), ...(signal && { signal }) };
}

/** Whether it succeeded; throws where it failed, or has no state. */
function hasEnded({ invocation, answer }: Origin, spec: JobSpec, job: unknown): boolean {
  const { state: way = 'state', done, failed, error } = spec;
  const state = member(job, way) as State | null | undefined;
  const { key } = invocation.operation;
  if (state === undefined || state === null)
    throw new DecodingError(`the job has no ${way}`, key, answer.status);
  if (failed?.includes(state)) {
    const reason = error ? member(job, error) : undefined;
    throw new JobFailedError(key, job, String(state), reason ? textOf(reason) : '');
  }
  return done.includes(state);
}

function textOf(reason: unknown): string {
  return typeof reason === 'string' ? reason : JSON.stringify(reason);
}
