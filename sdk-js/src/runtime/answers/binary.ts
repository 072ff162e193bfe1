/** Answers of bytes, read as they arrive. */

import type { OnProgress, ResponseSpec } from '../call.js';
import { ArgumentError } from '../errors/local.js';
import { TransportFailed } from '../wire.js';
import { Source } from './reading.js';
import { StreamedAnswer, type StreamHead, streamHead } from './streamed.js';
import { textOf } from './text.js';

/** Bytes of any media type. */
export function bytesAnswer(status: string, mediaType = 'application/octet-stream'): ResponseSpec {
  return {
    status,
    mediaType,
    kind: 'binary',
    open: (opening) => new BinaryResponse(streamHead(opening)),
  };
}

/** `Uint8Array<ArrayBuffer>` for TypeScript as of 5.7, and `Uint8Array` before, where that has no parameters. */
export type Bytes = InstanceType<Uint8ArrayConstructor>;

/** How a download is saved. */
export interface SaveOptions {
  /**
   * `sha256:` and the digest of the file in hex, or another algorithm that the runtime has; one that does not match is a
   * `ChecksumError`.
   */
  readonly checksum?: string;
  /**
   * False: goes on neither with a connection that broke nor with what an earlier call left, and leaves nothing.
   *
   * @default true
   */
  readonly resume?: boolean;
  /** Called with the progress of the file. */
  readonly onProgress?: OnProgress;
}

/**
 * Bytes that are still arriving: take them whole, save them, or go through them piece by piece.
 *
 * They can be read once. Reading rejects with `TransportError` where the connection breaks, with `ArgumentError` where they
 * were read already.
 *
 * @example
 * const download = await client.documents.download('a');
 * for await (const piece of download) hash.update(piece);
 */
export class BinaryResponse extends StreamedAnswer implements AsyncIterable<Uint8Array> {
  readonly #head: StreamHead;
  readonly #source: Source;
  readonly #reading: AsyncGenerator<Uint8Array, void, undefined>;
  #begun = false;

  constructor(head: StreamHead) {
    super(head.answer);
    this.#head = head;
    this.#source = new Source(head);
    this.#reading = pieces(head, this.#source);
  }

  /** All bytes that are left. */
  async bytes(): Promise<Bytes> {
    const blob = await this.blob();
    return new Uint8Array(await blob.arrayBuffer());
  }

  /** The same as text, in the charset that the answer names, UTF-8 where it names none. */
  async text(): Promise<string> {
    return textOf(this.headers.get('content-type') ?? '', await this.bytes());
  }

  /** The same as a Blob of the answer's media type. */
  async blob(): Promise<Blob> {
    this.#check();
    const parts: BlobPart[] = [];
    for await (const piece of this) parts.push(piece as BlobPart); // the memory of fetch is not shared
    return new Blob(parts, { type: this.mediaType });
  }

  /**
   * The same as a stream, for whatever takes one; to cancel it frees the connection.
   *
   * @example
   * return new Response(download.stream(), { headers: { 'content-type': download.mediaType } });
   */
  stream(): ReadableStream<Uint8Array> {
    this.#check();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await this.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: () => this.close(),
      },
      { highWaterMark: 0 },
    );
  }

  /**
   * Writes all bytes that are left to a file, which appears when it is whole; gives its size. Only in runtimes with files.
   *
   * Where the server offers ranges and says which version it sends (a strong ETag, or Last-Modified), a connection that
   * breaks is made anew and only the rest fetched; what could not be finished stays beside the file as `NAME.part`, for a
   * later call to go on with. The size and the digests that the server states are checked, unless the answer is compressed:
   * ask for `extraHeaders: { 'Accept-Encoding': 'identity' }` where that matters.
   *
   * Rejects with `ChecksumError`, and with `TransportError` where the connection breaks for good.
   *
   * @example
   * await download.save('corpus.zip', { onProgress: ({ doneBytes }) => console.log(doneBytes) });
   */
  async save(path: string | URL, options: SaveOptions = {}): Promise<number> {
    this.#check();
    try {
      const { download } = await import('./download.js'); // files are for those who save
      return await download(this.#head, this.#source, path, options, this.#begun);
    } finally {
      await this.close();
    }
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#begun = true;
    const { done, value } = await this.#reading.next();
    return done ? { done, value: undefined } : { done: false, value };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async close(): Promise<void> {
    await this.#source.close();
    await this.#reading.return();
  }

  /** Throws `ArgumentError` lest nothing look like an empty body. */
  #check(): void {
    if (this.#source.closed)
      throw new ArgumentError('the bytes were read already, or closed; keep them, or make the call again');
  }
}

/** The pieces of the body as they arrive. */
async function* pieces(head: StreamHead, source: Source): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let piece = await source.read(); piece; piece = await source.read()) yield piece;
  } catch (error) {
    throw error instanceof TransportFailed ? head.error(error) : error;
  } finally {
    await source.close();
  }
}
