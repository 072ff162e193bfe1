/** What an answer means: its response is found by status and media type, and its body read accordingly. */

import type { Operation, ResponseSpec } from '../call.js';
import { DecodingError } from '../errors/local.js';
import { essence } from '../media.js';
import type { Answer } from '../wire.js';
import type { Shape } from './shapes.js';

/**
 * The value of an answer that has arrived whole, of which `spec` says what it is: JSON, text, or undefined for an empty one.
 *
 * Throws `DecodingError` where the answer is not what the API's description says.
 */
export function decode(
  operation: Operation,
  answer: Answer,
  spec: ResponseSpec | undefined,
  strict: boolean,
): unknown {
  const contentType = answer.headers.get('content-type') ?? '';
  if (spec?.read) return spec.read(contentType, answer.content);
  if (spec) return parseItem(operation, answer, spec.shape, new TextDecoder().decode(answer.content), strict);
  if (!operation.responses?.length) return undefined;
  const found = essence(contentType) || 'no media type';
  throw refused(operation, answer, `an answer in ${found} was not expected`);
}

/** A JSON body, or one item of a series, as its response describes it; throws `DecodingError`. */
export function parseItem(
  operation: Operation,
  answer: Answer,
  shape: Shape | undefined,
  text: string,
  strict: boolean,
): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused(operation, answer, 'the answer is not JSON');
  }
  const wrong = shape?.(value, strict);
  if (wrong) throw refused(operation, answer, `the answer is not as described: ${wrong.trim()}`);
  return value;
}

function refused({ key }: Operation, { status, headers }: Answer, message: string): DecodingError {
  const said = `${message} (status ${status}); the client may be older than the server`;
  return new DecodingError(said, key, status, headers.get('x-request-id') ?? '');
}
