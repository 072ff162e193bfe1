/** Bodies of raw bytes, as a caller may give them, and as they are sent. */

/** Bytes, text (sent as UTF-8), a Blob or File, or something that gives chunks one after the other. */
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
