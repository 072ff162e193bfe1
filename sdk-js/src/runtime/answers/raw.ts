/** Answers with all that came: status, headers, attempts, and the body before anything understands it. */

import { ArgumentError } from '../errors/local.js';
import type { Answered } from '../origin.js';
import { BinaryResponse, type Bytes } from './binary.js';
import { StreamedAnswer, streamHead } from './streamed.js';
import { textOf } from './text.js';

/**
 * An answer, and what the operation makes of it: `parse()`.
 *
 * Its body is whole, and may be read and parsed as often as wanted; that of a series of items is still arriving, and is
 * either read or parsed, or closed.
 *
 * @example
 * const response = await client.documents.get('a').asResponse();
 * if (response.headers.get('etag') !== known) use(await response.parse());
 */
export class RawResponse<T> extends StreamedAnswer {
  readonly #answered: Answered;
  /** Reads a body that is still arriving. */
  readonly #body: BinaryResponse | undefined;
  #taken: 'read' | 'parsed' | undefined;
  #content: Promise<Bytes> | undefined;
  #parsed: Promise<T> | undefined;

  constructor(answered: Answered) {
    super(answered.answer);
    this.#answered = answered;
    const { answer, opening } = answered;
    if (answer.reader && opening) this.#body = new BinaryResponse(streamHead(opening));
  }

  /** The body; waits for the end of one that is still arriving. */
  bytes(): Promise<Bytes> {
    this.#content ??= this.#read();
    return this.#content;
  }

  /** The body in the charset that the answer names, UTF-8 where it names none. */
  async text(): Promise<string> {
    return textOf(this.headers.get('content-type') ?? '', await this.bytes());
  }

  /** The body as JSON, not checked; rejects with `SyntaxError` where it is something else. */
  async json(): Promise<unknown> {
    return JSON.parse(new TextDecoder().decode(await this.bytes()));
  }

  /** The body in the pieces in which it arrives; to cancel it frees the connection. */
  stream(): ReadableStream<Uint8Array> {
    if (!this.#body) return new Blob([this.#answered.answer.content as BlobPart]).stream(); // as fetch gave it
    this.#take('read');
    return this.#body.stream();
  }

  /** What the method itself would have returned; rejects with `DecodingError`. */
  parse(): Promise<T> {
    this.#parsed ??= this.#understood();
    return this.#parsed;
  }

  /** Frees the connection of a body that is still arriving, that of parsed items too. */
  async close(): Promise<void> {
    const parsed = this.#taken === 'parsed' && (await this.#parsed);
    await (parsed instanceof StreamedAnswer ? parsed : this.#body)?.close();
  }

  async #read(): Promise<Bytes> {
    if (!this.#body) return new Uint8Array(this.#answered.answer.content);
    this.#take('read');
    return this.#body.bytes();
  }

  async #understood(): Promise<T> {
    if (this.#body) this.#take('parsed');
    return this.#answered.understand() as T; // what the operation describes
  }

  /** What arrives can be had once. */
  #take(as: 'read' | 'parsed'): void {
    if (this.#taken) throw new ArgumentError(`the answer was ${this.#taken} already, as it can be only once`);
    this.#taken = as;
  }
}
