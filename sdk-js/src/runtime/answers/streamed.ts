/// <reference lib="esnext.disposable" preserve="true" />
/** What all answers have in common whose body is still arriving. */

import type { ResponseSpec } from '../call.js';
import { CallTimeoutError, type DhatuError } from '../errors/local.js';
import { failureError } from '../flow/failures.js';
import { type Call, type Policies, withHeaders } from '../flow/plan.js';
import { essence } from '../media.js';
import { type RetryPolicy, resolveRetry } from '../policies/retry.js';
import type { Surroundings } from '../surroundings.js';
import type { Answer, AnswerReader, HeaderList, TransportFailed } from '../wire.js';

/** What a client lends to an answer whose body is still arriving. */
export interface Opening {
  readonly answer: Answer;
  readonly call: Call;
  readonly policies: Policies;
  readonly surroundings: Surroundings;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** Carries out the whole call again, until the signal fires. */
  readonly again: (call: Call, signal: AbortSignal | undefined) => Promise<Answer>;
}

/** Reads one item of a series, or throws `DecodingError`. */
export type ParseItem = (payload: string) => unknown;

/** Opens an answer that is read as it arrives: an `EventStream` or a `BinaryResponse`. */
export type StreamOpener = (opening: Opening, spec: ResponseSpec, parse: ParseItem) => unknown;

/** How to go on with an answer that broke off, of an operation that may be repeated. */
export interface Resumption {
  /** The whole call again, with further headers. */
  readonly open: (headers: HeaderList, signal: AbortSignal) => Promise<Answer>;
  readonly method: string;
  /** What was asked for: tells a part of one thing from a part of another; may hold an API key. */
  readonly resource: string;
  readonly retry: Required<RetryPolicy>;
  /** Takes a token of the retry budget. */
  readonly withdraw: () => boolean;
  readonly random: () => number;
}

/** What is known of a streamed answer before its body. */
export interface StreamHead {
  readonly answer: Answer;
  /** What is left to be read. */
  readonly reader: AnswerReader;
  readonly operation: string;
  /** Longest time between two events, or two pieces of bytes. */
  readonly idleMs: number;
  readonly surroundings: Surroundings;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** Undefined where an answer that breaks off is not to be asked for again. */
  readonly resumption: Resumption | undefined;
  /** The error to throw where the body breaks off. */
  readonly error: (failed: TransportFailed) => DhatuError;
}

export function streamHead(opening: Opening): StreamHead {
  const { answer, call, surroundings, signal } = opening;
  const { idleMs } = call;
  const operation = call.operation.key;
  return {
    answer,
    reader: answer.reader ?? arrived(answer.content),
    operation,
    idleMs,
    surroundings,
    signal,
    resumption: resumptionOf(opening),
    error: ({ failure }) =>
      failure.kind === 'timeout'
        ? new CallTimeoutError(
            `nothing arrived for ${idleMs / 1000} s; give a larger eventIdleMs if that is expected`,
            operation,
            answer.attempts,
            failure.cause,
          )
        : failureError(failure, operation, idleMs, answer.attempts),
  };
}

/** How the answer to a call is gone on with; undefined where asking again could do harm, or is not wanted. */
function resumptionOf({ call, policies, again }: Opening): Resumption | undefined {
  const { method, target, body } = call.request;
  const { retry = 'never' } = call.operation;
  if (!call.resume || (retry !== 'safe' && retry !== 'idempotent') || body?.repeatable === false)
    return undefined;
  return {
    open: (headers, signal) => again(withHeaders(call, headers), signal),
    method,
    resource: target,
    retry: resolveRetry(call.retry),
    withdraw: () => policies.budget.withdraw(),
    random: policies.random,
  };
}

/** Reads an answer that is whole already. */
export function arrived(content: Uint8Array): AnswerReader {
  return {
    async *chunks() {
      yield content;
    },
    async close() {},
  };
}

const RECONNECT_MS = 1000;

/** When to ask again for an answer that broke off: a number of times without progress between them. */
export class Reconnects {
  readonly #resumption: Resumption;
  #inARow = 0;

  constructor(resumption: Resumption) {
    this.#resumption = resumption;
  }

  progressed(): void {
    this.#inARow = 0;
  }

  /**
   * Milliseconds to wait before the next; undefined where there is to be none.
   *
   * What the server asked for, else `(0.5 + random()) * min(capMs, 1000 * 2 ** n)` for the n-th without progress
   * (0 = first).
   */
  delayMs(askedMs?: number): number | undefined {
    const { retry, withdraw, random } = this.#resumption;
    if (this.#inARow >= retry.maxRetries) return undefined;
    if (askedMs !== undefined && askedMs > retry.retryAfterCapMs) return undefined;
    if (!withdraw()) return undefined;
    const windowMs = Math.min(retry.capMs, RECONNECT_MS * 2 ** this.#inARow++);
    return askedMs ?? (0.5 + random()) * windowMs;
  }
}

/** An answer whose body may still be arriving; close it, or read it to its end, to free its connection. */
export abstract class StreamedAnswer {
  readonly status: number;
  declare readonly headers: Headers;
  /** Names this request in the server's logs; empty where the server gave none. */
  readonly requestId: string;
  /** The first try and its retries. */
  readonly attempts: number;
  /** Of the body, without parameters. */
  readonly mediaType: string;
  /** `close`, for `await using`; only where the runtime knows that. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;

  constructor({ status, headers, attempts }: Answer) {
    this.status = status;
    this.requestId = headers.get('x-request-id') ?? '';
    this.attempts = attempts;
    this.mediaType = essence(headers.get('content-type') ?? '');
    // A headers object prints what it holds.
    Object.defineProperty(this, 'headers', { value: headers });
    const { asyncDispose } = Symbol as { readonly asyncDispose?: symbol };
    if (asyncDispose) Object.defineProperty(this, asyncDispose, { value: () => this.close() });
  }

  /** Stops reading, and frees the connection. */
  abstract close(): Promise<void>;
}
