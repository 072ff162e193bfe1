/** Lines and JSON Lines of a byte stream, whatever its chunks; without I/O. */

/** Of one line or event, in UTF-16 code units: more than any API sends, and less than would fill the memory. */
export const MAX_LENGTH = /*#__PURE__*/ 2 ** 26;

/** A line or an event is longer than is allowed; never leaves the package. */
export class OversizedError extends Error {
  constructor(maxLength: number) {
    super(`a line or an event of the stream is longer than ${maxLength} characters`);
  }
}

/** One item of a series, not yet understood. */
export interface Payload {
  readonly data: string;
  readonly event: string;
  readonly id: string;
  readonly retryMs: number | undefined;
}

/** Takes a series apart; what is read of one connection does not join what is read of the next. */
export interface Payloads {
  /** Of the last event that was complete; empty where there are no ids. */
  readonly lastEventId: string;
  readonly retryMs: number | undefined;
  /** Throws `OversizedError`. */
  feed(chunk: Uint8Array): Payload[];
  /** What is left at the end of the body. */
  finish(): Payload[];
  /** Another connection begins. */
  restart(): void;
}

/** Takes lines apart. */
export interface LineSplitter {
  /** The lines that end in this chunk, without their ends. */
  feed(chunk: Uint8Array): string[];
  /** The last line, if nothing ended it. */
  rest(): string;
}

/**
 * Lines of UTF-8: a byte-order mark at the beginning is left out, what is no UTF-8 is replaced.
 *
 * Where `ends` takes a CR for the end of a line, it is that at once; an LF that begins the next chunk then belongs to it.
 * Throws `OversizedError`.
 */
export function lineSplitter(ends: RegExp | string, maxLength = MAX_LENGTH): LineSplitter {
  // Not left to the decoder: that of Node.js 24 leaves a second mark out as well where a chunk ends within the first.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let isBeginning = true;
  let begun = ''; // grows without copying what is there at each of many small chunks
  let afterCr = false;
  function split(decoded: string): string[] {
    if (!decoded) return [];
    const text = isBeginning && decoded[0] === '\ufeff' ? decoded.slice(1) : decoded;
    isBeginning = false;
    const lines = (afterCr && text[0] === '\n' ? text.slice(1) : text).split(ends);
    afterCr = ends !== '\n' && text.endsWith('\r');
    const length = begun.length + text.length;
    lines[0] = begun + lines[0];
    begun = lines.pop() ?? '';
    // No line is longer than all that there is, which spares looking at each.
    if (length > maxLength && [...lines, begun].some((line) => line.length > maxLength))
      throw new OversizedError(maxLength);
    return lines;
  }
  return {
    feed: (chunk) => split(decoder.decode(chunk, { stream: true })),
    rest: () => begun + decoder.decode(),
  };
}

/** The lines of JSON Lines; empty ones hold nothing, and the last need not be ended. A CR is white space in JSON. */
export class LinePayloads implements Payloads {
  readonly lastEventId = '';
  readonly retryMs = undefined;
  readonly #lines: LineSplitter;

  constructor(maxLength = MAX_LENGTH) {
    this.#lines = lineSplitter('\n', maxLength);
  }

  feed(chunk: Uint8Array): Payload[] {
    return payloads(this.#lines.feed(chunk));
  }

  finish(): Payload[] {
    return payloads([this.#lines.rest()]);
  }

  restart(): void {
    throw new TypeError('lines have no ids by which to go on');
  }
}

function payloads(lines: readonly string[]): Payload[] {
  return lines
    .filter((line) => /[^ \t\r\v\f]/.test(line))
    .map((data) => ({ data, event: 'message', id: '', retryMs: undefined }));
}
