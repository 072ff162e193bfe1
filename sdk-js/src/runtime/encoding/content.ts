/** Bodies of raw bytes, as a caller may give them, and as they are sent. */

import { ArgumentError } from '../errors/local.js';
import { kindOf, wellFormed } from './values.js';

/**
 * Bytes, text (sent as UTF-8), a Blob or File, or something that gives chunks one after the other.
 *
 * What runs dry (a stream, a generator) is sent once: where an attempt fails that had begun to read it, there is none
 * after it. An array of chunks, or an object that makes a new iterator every time, is sent again.
 */
export type Content =
  | Uint8Array
  | ArrayBuffer
  | string
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>;

/** Bytes to send, perhaps more than once. */
export interface Body {
  /** Undefined where only reading tells. */
  readonly sizeBytes: number | undefined;
  /** Whether the next attempt would send the same bytes: false once a source that runs dry was begun. */
  readonly repeatable: boolean;
  /** What `fetch` takes as it is; undefined where it has to read `chunks()`. */
  readonly whole?: Uint8Array | Blob | undefined;
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
}

/** Of the pieces in which a body is read that is all there. */
export const CHUNK_BYTES = 256 * 1024;

/** What to send for `Content`; throws `ArgumentError` for anything else. */
export function bodyOf(content: unknown): Body {
  if (typeof content === 'string') return wholeBody(utf8(content));
  if (content instanceof Blob) return wholeBody(content);
  const bytes = asBytes(content);
  if (bytes) return wholeBody(bytes);
  if (isSeries(content)) return seriesBody(content, asChunk);
  throw new ArgumentError(
    `content must be bytes, a string, a Blob or an iterable of bytes, not ${kindOf(content)}`,
  );
}

/** Bytes that are all there. */
export function wholeBody(whole: Uint8Array | Blob): Body {
  const sizeBytes = 'size' in whole ? whole.size : whole.length;
  return {
    sizeBytes,
    repeatable: true,
    whole,
    async *chunks() {
      // The types allow for memory that threads share, which a Blob does not take.
      const blob = new Blob([whole as BlobPart]);
      for (let start = 0; start < sizeBytes; start += CHUNK_BYTES)
        yield new Uint8Array(await blob.slice(start, start + CHUNK_BYTES).arrayBuffer());
    },
  };
}

/** Something that gives items one after the other. */
export type Series<T = unknown> = Iterable<T> | AsyncIterable<T> | ReadableStream<T>;

export function isSeries(value: unknown): value is Series {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value || 'getReader' in value)
  );
}

/** Items that become bytes as they are sent. */
export function seriesBody(source: Series, write: (item: unknown) => Uint8Array): Body {
  // Iterators and streams, those of Node.js too, run dry; what makes an iterator every time does not.
  const runsDry = ['next', 'getReader', 'pipe'].some((name) => name in source);
  let begun = false;
  return {
    sizeBytes: undefined,
    get repeatable() {
      return !(runsDry && begun);
    },
    async *chunks() {
      begun = true; // only now: where no connection is made, nothing is taken from the source
      for await (const item of 'getReader' in source ? read(source) : source) yield write(item);
    },
  };
}

/** Safari's streams are not iterable. */
async function* read(stream: ReadableStream<unknown>): AsyncGenerator<unknown, void, undefined> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/** Text as UTF-8; throws `ArgumentError` where it holds half a character. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(wellFormed(text));
}

/** A view of bytes, whatever holds them; undefined for anything else. */
export function asBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : undefined;
}

/** Whether a value is content that is all there. */
export function isWhole(value: unknown): boolean {
  return typeof value === 'string' || value instanceof Blob || asBytes(value) !== undefined;
}

function asChunk(item: unknown): Uint8Array {
  const bytes = asBytes(item);
  if (bytes) return bytes;
  throw new ArgumentError(`content must come in bytes, not ${kindOf(item)}`);
}
