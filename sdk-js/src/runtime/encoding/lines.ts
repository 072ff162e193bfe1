/** Bodies of JSON Lines. */

import type { BodySpec } from '../call.js';
import { ArgumentError } from '../errors/local.js';
import { bodySpec, type EncodedBody, encoded, type GivenBody } from './body.js';
import { isSeries, isWhole, seriesBody, utf8 } from './content.js';
import { encodeContent } from './text.js';
import { jsonText, kindOf } from './values.js';

/** A body of one JSON value a line: bytes as they are, or items that are written when they are sent. */
export function linesBody(argument: string, mediaType = 'application/jsonl'): BodySpec {
  return bodySpec('jsonl', mediaType, argument, encodeLines);
}

function encodeLines(spec: BodySpec, given: GivenBody): EncodedBody {
  const content = given.arguments[spec.argument];
  if (isWhole(content)) return encodeContent(spec, given);
  if (isSeries(content)) return encoded(spec.mediaType, seriesBody(content, line));
  throw new ArgumentError(`JSON Lines need an iterable of items, not ${kindOf(content)}`);
}

function line(item: unknown): Uint8Array {
  return item instanceof Uint8Array ? item : utf8(`${jsonText(item, 'a line of the body')}\n`);
}
