/** What an answer means: its response is found by status and media type, and its body read accordingly. */

import type { Operation, ResponseSpec } from '../call.js';
import { DecodingError } from '../errors/local.js';
import { essence, parameterOf } from '../media.js';
import type { Answer } from '../wire.js';
import { findResponse } from './responses.js';
import { string } from './shapes.js';

/**
 * The value of an answer that has arrived whole: JSON, text, or undefined for an empty one.
 *
 * Throws `DecodingError` where the answer is not what the API's description says.
 */
export function decode(operation: Operation, answer: Answer, strict: boolean): unknown {
  const contentType = answer.headers.get('content-type') ?? '';
  const spec = findResponse(operation, answer.status, contentType);
  if (spec) {
    if (spec.kind === 'empty') return undefined;
    if (spec.kind === 'text') return textOf(contentType, answer.content);
    return parseItem(operation, answer, spec, new TextDecoder().decode(answer.content), strict);
  }
  if (!operation.responses?.length) return undefined;
  const found = essence(contentType) || 'no media type';
  throw refused(operation, answer, `an answer in ${found} was not expected`);
}

/** A JSON body, or one item of a series, as its response describes it; throws `DecodingError`. */
export function parseItem(
  operation: Operation,
  answer: Answer,
  { kind, shape }: ResponseSpec,
  text: string,
  strict: boolean,
): unknown {
  if (kind === 'sse' && shape === string) return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (kind === 'sse' && !shape) return text; // the data of an event that nothing describes
    throw refused(operation, answer, 'the answer is not JSON');
  }
  const wrong = shape?.(value, strict);
  if (wrong) throw refused(operation, answer, `the answer is not as described: ${wrong.trim()}`);
  return value;
}

/** Text in the charset that its media type names, UTF-8 where it names none that is known. */
export function textOf(contentType: string, content: Uint8Array): string {
  const decoder = (charset: string) => new TextDecoder(charset);
  try {
    return decoder(parameterOf(contentType, 'charset') || 'utf-8').decode(content);
  } catch {
    return decoder('utf-8').decode(content);
  }
}

function refused({ key }: Operation, { status, headers }: Answer, message: string): DecodingError {
  const said = `${message} (status ${status}); the client may be older than the server`;
  return new DecodingError(said, key, status, headers.get('x-request-id') ?? '');
}
