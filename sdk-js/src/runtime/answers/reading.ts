/** How the body of an answer is read: piece by piece, over as many connections as it takes. */

import { sleep } from '../surroundings.js';
import { type Answer, type AnswerReader, type Failure, type HeaderList, TransportFailed } from '../wire.js';
import { arrived, type StreamHead } from './streamed.js';

/**
 * Where the pieces of a body come from.
 *
 * Whoever waits for one while the source is closed, is told so by an error, lest it look like the end.
 */
export class Source {
  readonly #head: StreamHead;
  readonly #over = new AbortController();
  readonly #leave: () => void;
  #reader: AnswerReader;
  #chunks: AsyncIterator<Uint8Array, void>;
  #closed = false;

  constructor(head: StreamHead) {
    this.#head = head;
    this.#reader = head.reader;
    this.#chunks = head.reader.chunks();
    this.#leave = () => this.#over.abort(head.signal?.reason);
  }

  /** Whether everything was read, or nobody wants the rest. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The next piece; undefined at the end. Throws `TransportFailed`.
   *
   * `limitMs` is the longest wait for it, if that is less than the connection's own.
   */
  async read(limitMs?: number): Promise<Uint8Array | undefined> {
    const next = this.#chunks.next();
    const { value } = await (limitMs === undefined ? next : this.#within(limitMs, next));
    if (this.#closed) throw closedMeanwhile();
    return value || undefined;
  }

  /** The whole call again with further headers; from here on, the body that is read is that of its answer. */
  async reopen(headers: HeaderList): Promise<Answer> {
    const { resumption } = this.#head;
    if (!resumption) throw new TypeError('only what can be resumed is opened again');
    await this.#reader.close();
    const answer = await this.#interruptible((signal) => resumption.open(headers, signal));
    this.#reader = answer.reader ?? arrived(answer.content);
    this.#chunks = this.#reader.chunks();
    if (this.#closed) {
      await this.#reader.close();
      throw closedMeanwhile();
    }
    return answer;
  }

  /** Lets time pass before the next connection. */
  wait(delayMs: number): Promise<void> {
    return this.#interruptible((signal) => sleep(this.#head.surroundings, delayMs, signal));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#head.signal?.removeEventListener('abort', this.#leave);
    this.#over.abort(closedMeanwhile());
    await this.#reader.close();
  }

  /** What the caller's signal ends as well as `close`. */
  #interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#head;
    if (signal?.aborted) this.#leave();
    signal?.addEventListener('abort', this.#leave);
    return work(this.#over.signal);
  }

  #within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
    let cancel = () => {};
    const over = new Promise<never>((_, reject) => {
      cancel = this.#head.surroundings.timer(limitMs, () => reject(new TransportFailed(silence())));
    });
    return Promise.race([promise, over]).finally(cancel);
  }
}

/** What a body is given up for that says nothing. */
export function silence(): Failure {
  return { kind: 'timeout', cause: new Error('nothing arrived in time') };
}

/** A fault of the program. */
function closedMeanwhile(): Error {
  return new Error('the answer was closed while it was being read');
}
