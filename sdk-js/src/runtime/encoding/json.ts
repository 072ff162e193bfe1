/** Bodies of JSON. */

import type { BodySpec } from '../call.js';
import { bodySpec, type EncodedBody, encoded, type Field, type GivenBody, memberValues } from './body.js';
import { utf8, wholeBody } from './content.js';
import { jsonText } from './values.js';

/** A body of JSON: an object of these members, or the one argument that holds all of it. */
export function jsonBody(source: readonly Field[] | string, mediaType = 'application/json'): BodySpec {
  return bodySpec('json', mediaType, source, encodeJson);
}

function encodeJson(spec: BodySpec, given: GivenBody): EncodedBody {
  const { mediaType } = spec;
  const value = spec.fields.length ? memberValues(spec, given) : given.arguments[spec.argument];
  return encoded(
    mediaType.includes('*') ? 'application/json' : mediaType,
    wholeBody(utf8(jsonText(value, 'the body'))),
  );
}
