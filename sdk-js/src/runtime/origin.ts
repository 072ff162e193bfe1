/** Where a page or a job came from: what it needs in order to go on. */

import type { Opening } from './answers/streamed.js';
import type { Arguments, CallOptions, Operation } from './call.js';
import type { APIPromise } from './promise.js';
import type { Surroundings } from './surroundings.js';
import type { Answer } from './wire.js';

/** What a generated function was called with. */
export interface Invocation {
  readonly operation: Operation;
  readonly arguments: Arguments;
  readonly options: CallOptions;
  /** Whether a stream is asked for, where the operation also answers whole. */
  readonly stream?: boolean;
}

/** What can carry out an operation. */
export interface Caller {
  call<T, P extends APIPromise<T>>(
    operation: Operation<T, P>,
    args: Arguments,
    options?: CallOptions,
    stream?: boolean,
  ): P;
}

/** The call that an answer came from. */
export interface Origin {
  readonly client: Caller;
  readonly surroundings: Surroundings;
  readonly invocation: Invocation;
  readonly answer: Answer;
}

/** How an answer leads to further calls. Made by `page` or `job`. */
export interface GoesOn {
  /** The value as what can go on. */
  readonly bind: (origin: Origin, value: unknown) => unknown;
  /** What a call returns, where that is more than an `APIPromise`. */
  readonly promise?: new (
    start: (mode: Mode) => Promise<Answered>,
  ) => APIPromise<unknown>;
}

/** plain: the value, as described. raw: the answer, unread where it may go on for ever. */
export type Mode = 'plain' | 'raw';

/** What came of a call: the answer, and how it is understood. */
export interface Answered {
  readonly answer: Answer;
  /** The value as the operation describes it; throws `DecodingError`. */
  readonly understand: () => unknown;
  /** What reads a body that is still arriving; undefined where nothing does. */
  readonly opening?: Opening | undefined;
}
