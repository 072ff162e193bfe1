/** What a call returns: a promise of the value that can also give the answer it came in. */

import type { RawResponse } from './answers/raw.js';
import type { AnswerHead } from './call.js';
import { ArgumentError } from './errors/local.js';
import type { Answered, Mode } from './origin.js';

/** A value, and what it came in. */
export interface WithResponse<T> {
  readonly data: T;
  readonly response: AnswerHead;
}

/**
 * The promise of a value.
 *
 * The call begins in the next microtask, so that `asResponse` can still ask for the answer itself.
 */
export class APIPromise<T> extends Promise<T> {
  readonly #answered: Promise<Answered>;
  /** Undefined until the call begins, unless it is asked for. */
  #mode: Mode | undefined;

  /** What `then` makes is a plain promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  constructor(start: (mode: Mode) => Promise<Answered>) {
    const answered = Promise.resolve().then(() => {
      this.#mode ??= 'plain';
      return start(this.#mode);
    });
    const value = answered.then(({ understand }) => {
      if (this.#mode === 'raw') throw new ArgumentError('the value is in what asResponse() gave');
      return understand() as T; // what the operation describes
    });
    super((resolve) => resolve(value));
    this.#answered = answered;
  }

  /**
   * The value, and beside it status and headers of the answer.
   *
   * @example
   * const { data, response } = await client.corpus.search('dhātu').withResponse();
   * response.headers.get('x-request-id');
   */
  async withResponse(): Promise<WithResponse<T>> {
    const [data, { answer }] = await Promise.all([this, this.#answered]);
    return { data, response: headOf(answer) };
  }

  /**
   * The answer itself, whose value is read when it is asked for; to be called at once, before the call begins.
   *
   * @example
   * const response = await client.corpus.search('dhātu').asResponse();
   * if (response.headers.get('etag') !== known) use(await response.parse());
   */
  async asResponse(): Promise<RawResponse<T>> {
    if (this.#mode === 'plain')
      throw new ArgumentError('asResponse() comes too late: call it where the call is made');
    this.#mode = 'raw';
    this.catch(() => {}); // whoever asks for the answer has no use for the value
    const [{ RawResponse }, answered] = await Promise.all([import('./answers/raw.js'), this.#answered]);
    return new RawResponse<T>(answered);
  }
}

/** What of an answer may be shown before its body is understood. */
export function headOf({ status, headers, attempts }: Answered['answer']): AnswerHead {
  return { status, headers, attempts, requestId: headers.get('x-request-id') ?? '' };
}
