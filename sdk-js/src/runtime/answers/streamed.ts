/** What all answers have in common whose body is still arriving. */

import type { ResponseSpec } from '../call.js';
import type { Answer, AnswerReader } from '../wire.js';

/** What is known of a streamed answer before its body. */
export interface StreamHead {
  readonly answer: Answer;
  readonly operation: string;
}

/** Reads one item of a series, or throws `DecodingError`. */
export type ParseItem = (payload: Uint8Array) => unknown;

/** Opens an answer that is read as it arrives: an `EventStream` or a `BinaryResponse`. */
export type StreamOpener = (
  head: StreamHead,
  reader: AnswerReader,
  spec: ResponseSpec,
  parse: ParseItem,
) => unknown;
