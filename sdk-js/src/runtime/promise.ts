/** What a call returns: a promise of the value that can also give the answer it came in. */

import type { AnswerHead } from './call.js';
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
  #mode: Mode = 'plain';

  /** What `then` makes is a plain promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  constructor(start: (mode: Mode) => Promise<Answered>) {
    let settle: (answered: Promise<T>) => void = () => {};
    super((resolve) => {
      settle = resolve;
    });
    this.#answered = Promise.resolve().then(() => start(this.#mode));
    settle(
      this.#answered.then((answered) => (this.#mode === 'plain' ? answered.understand() : undefined) as T),
    );
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
}

function headOf({ status, headers, attempts }: Answered['answer']): AnswerHead {
  return { status, headers, attempts, requestId: headers.get('x-request-id') ?? '' };
}
