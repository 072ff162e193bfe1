/** What passes between the flow and the transport that carries it out. */

import type { Body } from './encoding/content.js';
import type { Surroundings } from './surroundings.js';

/** Whether a connection was made, and what ended the attempt. */
export type FailureKind = 'connect' | 'connect_timeout' | 'pool_timeout' | 'timeout' | 'lost';

/** Names and values of headers, in lower case. */
export type HeaderList = readonly (readonly [string, string])[];

/** One place where the API is served. */
export interface Endpoint {
  /** Base URL without a slash at the end. */
  readonly url: string;
  /**
   * Share of the calls in relation to the other endpoints, above 0.
   *
   * @default 1
   */
  readonly weight?: number;
}

/** The address as it may be shown. */
export function withoutUser(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//');
}

/** What is sent, by each attempt alike. */
export interface Request {
  readonly method: string;
  /** Path and query after the base URL, percent-encoded; may hold an API key. */
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Body | undefined;
  /** Whether the answer is to be read as it arrives, so that no time is set for all of it. */
  readonly openEnded?: boolean;
}

/** The body of an answer that is still arriving; iteration throws `TransportFailed`. */
export interface AnswerReader {
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  close(): Promise<void>;
}

/** An answer: its body whole, or a reader of it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly content: Uint8Array;
  readonly reader?: AnswerReader | undefined;
  /** The first try, its retries and hedges. */
  readonly attempts: number;
}

/** Why no complete answer arrived. */
export interface Failure {
  readonly kind: FailureKind;
  readonly cause: unknown;
}

/** How an attempt ended. */
export type Outcome = Answer | Failure;

export function isAnswer(outcome: Outcome | undefined): outcome is Answer {
  return outcome !== undefined && 'status' in outcome;
}

/** Whether the request provably never left. */
export function isUnsent(failure: Failure): boolean {
  return failure.kind !== 'timeout' && failure.kind !== 'lost';
}

/** The time left for an attempt is over. */
export function outOfTime(): Failure {
  return { kind: 'timeout', cause: new Error('the time for the call ran out') };
}

/** Carries a `Failure` through an iterator; never leaves the package. */
export class TransportFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** Asks the driver for one attempt. */
export interface Send {
  readonly step: 'send';
  readonly request: Request;
  readonly endpoint: Endpoint;
  /** Further headers, of this attempt only. */
  readonly headers: HeaderList;
  /** For the whole answer, or for its head where the reader is kept. */
  readonly timeLeftMs: number;
  /** For each further piece of an answer that is kept open. */
  readonly idleMs: number;
  /** Tells by status and Content-Type whether the body is left to the caller to read. */
  readonly keepOpen: (status: number, contentType: string) => boolean;
}

/** Asks the driver for one attempt, and for another beside it where the first takes long. */
export interface Race {
  readonly step: 'race';
  readonly first: Send;
  readonly afterMs: number;
  /** Asked once after that time; undefined where there is to be no second. */
  readonly second: () => Send | undefined;
  /** Whether an outcome ends the race; one that is not waits for the other attempt. */
  readonly decisive: (outcome: Outcome) => boolean;
  /** How to run it, which only clients that hedge have to know. */
  readonly run: (
    race: Race,
    transport: Transport,
    surroundings: Surroundings,
    signal: AbortSignal | undefined,
  ) => Promise<Raced>;
}

/** How a race ended; undefined for an attempt that was not made, or cancelled because the other one won. */
export interface Raced {
  readonly first: Outcome | undefined;
  readonly second: Outcome | undefined;
}

/** Asks the driver to wait. */
export interface Sleep {
  readonly step: 'sleep';
  readonly delayMs: number;
}

/** Asks the driver for a module that few calls need; what is sent to the flow is undefined where it cannot be had. */
export interface Load {
  readonly step: 'load';
  readonly module: () => Promise<unknown>;
}

/** Asks the driver to fetch from a source; what comes of it is sent to the flow, or thrown in it. */
export interface Fetch {
  readonly step: 'fetch';
  readonly source: Source;
  readonly timeLeftMs: number;
}

/**
 * Something that has to be fetched before a call can go on: a token, a list of endpoints.
 *
 * Shared by all calls of a client, so that implementations see to it that many callers fetch it once. Rejects with
 * `DhatuError`, or with `TransportFailed`, which counts as a failed attempt.
 */
export interface Source {
  fetch(transport: Transport): Promise<unknown>;
}

/**
 * Sends one request and says how that ended.
 *
 * Rejects only with what the caller's own body threw, or with the reason of `signal`, which gives the attempt up.
 */
export interface Transport {
  send(step: Send, signal: AbortSignal | undefined): Promise<Outcome>;
}
