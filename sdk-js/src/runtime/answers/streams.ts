/** Answers that are a series of items: server-sent events and JSON Lines, read as they arrive. */

import type { ResponseSpec } from '../call.js';
import { DecodingError } from '../errors/local.js';
import { type Answer, TransportFailed } from '../wire.js';
import { LinePayloads, OversizedError, type Payload, type Payloads } from './lines.js';
import { Source, silence } from './reading.js';
import { type Shape, string } from './shapes.js';
import { EventPayloads } from './sse.js';
import { type ParseItem, Reconnects, StreamedAnswer, type StreamHead, streamHead } from './streamed.js';

/** Server-sent events; their data is any JSON, or text, where no shape is given. */
export function eventsAnswer(status: string, shape?: Shape, mediaType = 'text/event-stream'): ResponseSpec {
  const isText = shape === string;
  /** The data of an event that nothing describes may be text as well. */
  const reading = (parse: ParseItem) => (data: string) => {
    if (isText) return data;
    try {
      return parse(data);
    } catch (error) {
      if (shape) throw error;
      return data;
    }
  };
  return seriesAnswer('sse', status, mediaType, shape, () => new EventPayloads(isText), reading);
}

/** JSON Lines; any values where no shape is given. */
export function linesAnswer(status: string, shape?: Shape, mediaType = 'application/jsonl'): ResponseSpec {
  return seriesAnswer('jsonl', status, mediaType, shape, () => new LinePayloads());
}

function seriesAnswer(
  kind: 'sse' | 'jsonl',
  status: string,
  mediaType: string,
  shape: Shape | undefined,
  payloads: () => Payloads,
  reading = (parse: ParseItem) => parse,
): ResponseSpec {
  return {
    status,
    mediaType,
    kind,
    shape,
    open: (opening, _, parse) => new EventStream(streamHead(opening), payloads(), reading(parse), shape),
  };
}

/** An item, and what came with it. */
export interface StreamEvent<T = unknown> {
  readonly data: T;
  /** Its name; `message` where the server gave none, as always in JSON Lines. */
  readonly event: string;
  /** The last id that the server sent, with this event or before it; empty where there was none. */
  readonly id: string;
  /** Time to wait before reconnecting, where the server has said so. */
  readonly retryMs: number | undefined;
}

/**
 * The events of an answer, and of those that go on with it where its connection breaks.
 *
 * Reconnecting follows WHATWG HTML, section 9.2.3, with two differences: a body that ends in good order is the end of the
 * stream, and only a stream whose events have ids is gone on with.
 */
class Series<T> {
  lastEventId = '';
  retryMs: number | undefined;
  readonly source: Source;
  readonly #head: StreamHead;
  readonly #payloads: Payloads;
  readonly #parse: ParseItem;
  readonly #shape: Shape | undefined;
  readonly #reconnects: Reconnects | undefined;
  #aliveAt: number;

  constructor(head: StreamHead, payloads: Payloads, parse: ParseItem, shape: Shape | undefined) {
    this.source = new Source(head);
    this.#head = head;
    this.#payloads = payloads;
    this.#parse = parse;
    this.#shape = shape;
    this.#reconnects = head.resumption && new Reconnects(head.resumption);
    this.#aliveAt = this.#now();
  }

  /** However it ends, the source closes. */
  async *read(): AsyncGenerator<StreamEvent<T>, void, undefined> {
    const payloads = this.#payloads;
    try {
      for (;;) {
        const chunk = await this.#piece();
        for (const payload of chunk ? this.#takenApart(chunk) : payloads.finish()) {
          yield this.#event(payload);
          // What the caller does with an item is not the server's silence.
          this.#aliveAt = this.#now();
        }
        if (!chunk) return;
        this.lastEventId = payloads.lastEventId;
        this.retryMs = payloads.retryMs;
      }
    } finally {
      await this.source.close();
    }
  }

  /** The next bytes, of another connection where one breaks; undefined at the end. Throws where it breaks for good. */
  async #piece(): Promise<Uint8Array | undefined> {
    const { source } = this;
    for (;;) {
      try {
        return await source.read(this.#leftMs());
      } catch (error) {
        if (!(error instanceof TransportFailed)) throw error;
        const delayMs = this.#delayMs();
        if (delayMs === undefined) throw this.#head.error(error);
        await source.wait(delayMs);
      }
      const answer = await source.reopen([['last-event-id', this.#payloads.lastEventId]]);
      if (answer.status === 204) return undefined; // the standard's way to say that there is no more
      this.#check(answer);
      this.#payloads.restart();
      this.#aliveAt = this.#now();
    }
  }

  #event(payload: Payload): StreamEvent<T> | Promise<StreamEvent<T>> {
    this.#reconnects?.progressed();
    this.lastEventId = payload.id;
    this.retryMs = payload.retryMs;
    const item = this.#item(payload);
    // As the description says.
    return item ? { ...payload, data: item.value as T } : this.#reported(payload);
  }

  /** What the data says; undefined where it may be an error. */
  #item({ data, event }: Payload): { readonly value: unknown } | undefined {
    if (event === 'error') return undefined;
    try {
      const value = this.#parse(data);
      return /"(error|title)"/.test(data) ? undefined : { value };
    } catch (error) {
      if (error instanceof DecodingError) return undefined;
      throw error;
    }
  }

  /** Throws `StreamError` for an item that reports an error, `DecodingError` for one that is wrong. */
  async #reported(payload: Payload): Promise<StreamEvent<T>> {
    const { data, event } = payload;
    const { operation, answer } = this.#head;
    const { isError, isPlainError, streamError } = await import('./instream.js'); // hardly any stream holds one
    let item: unknown;
    try {
      item = event === 'error' || this.#parse(data);
    } catch (error) {
      throw isError(data) ? streamError(operation, answer, data) : error;
    }
    if (event === 'error' || isPlainError(item, this.#shape)) throw streamError(operation, answer, data);
    return { ...payload, data: item as T };
  }

  #now(): number {
    return this.#head.surroundings.now();
  }

  /** Milliseconds that the next event may take: comments do not count as life. Throws `TransportFailed`. */
  #leftMs(): number {
    const leftMs = this.#aliveAt + this.#head.idleMs - this.#now();
    if (leftMs <= 0) throw new TransportFailed(silence());
    return leftMs;
  }

  #takenApart(chunk: Uint8Array): Payload[] {
    try {
      return this.#payloads.feed(chunk);
    } catch (error) {
      throw error instanceof OversizedError ? this.#refusal(error.message, error) : error;
    }
  }

  /** Milliseconds to wait before going on after a break; undefined where that cannot be. */
  #delayMs(): number | undefined {
    const { lastEventId, retryMs } = this.#payloads;
    return lastEventId ? this.#reconnects?.delayMs(retryMs) : undefined;
  }

  /** Throws `DecodingError` where what goes on is not what broke off. */
  #check({ headers }: Answer): void {
    const mediaType = (of: Headers) => (of.get('content-type') ?? '').split(';', 1)[0];
    if (mediaType(headers) !== mediaType(this.#head.answer.headers))
      throw this.#refusal('the stream broke off, and what the server went on with is no such stream');
  }

  #refusal(message: string, cause?: unknown): DecodingError {
    const { operation, answer } = this.#head;
    const { status, headers } = answer;
    return new DecodingError(message, operation, status, headers.get('x-request-id') ?? '', cause);
  }
}

/**
 * Items as they arrive. The end of the loop, `break` and `close()` free the connection.
 *
 * Where the connection breaks in the middle of events with ids, it is made anew and goes on after the last event, if the
 * operation may be repeated; `resume: false` turns that off. Iteration rejects with `TransportError` where the connection
 * breaks for good or no event comes for `eventIdleMs`, with `StreamError` where the server reports an error in the stream,
 * with `DecodingError` at an item that does not match the API's description.
 *
 * @example
 * for await (const item of stream) console.log(item);
 */
export class EventStream<T> extends StreamedAnswer implements AsyncIterable<T> {
  readonly #series: Series<T>;
  readonly #reading: AsyncGenerator<StreamEvent<T>, void, undefined>;

  constructor(head: StreamHead, payloads: Payloads, parse: ParseItem, shape: Shape | undefined) {
    super(head.answer);
    this.#series = new Series(head, payloads, parse, shape);
    this.#reading = this.#series.read();
  }

  /** Of the last event that was read; empty where the server sends no ids. */
  get lastEventId(): string {
    return this.#series.lastEventId;
  }

  /** How long the server wants clients to wait before they reconnect, where it has said so. */
  get retryMs(): number | undefined {
    return this.#series.retryMs;
  }

  /**
   * The items with the names and ids of their events, from where iteration stands.
   *
   * @example
   * for await (const { event, data } of stream.events()) console.log(event, data);
   */
  async *events(): AsyncGenerator<StreamEvent<T>, void, undefined> {
    try {
      for (let next = await this.#reading.next(); !next.done; next = await this.#reading.next())
        yield next.value;
    } finally {
      await this.close();
    }
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const { done, value } = await this.#reading.next();
    return done ? { done, value: undefined } : { done: false, value: value.data };
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async close(): Promise<void> {
    await this.#series.source.close();
    await this.#reading.return();
  }
}
