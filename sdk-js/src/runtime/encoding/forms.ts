/** Bodies of forms: `application/x-www-form-urlencoded`. */

import type { BodySpec } from '../call.js';
import { bodySpec, type EncodedBody, encoded, type Field, type GivenBody } from './body.js';
import { utf8, wholeBody } from './content.js';
import { encode } from './parameters.js';
import { namedOf, styled, textOf, writtenOut } from './parts.js';
import { simplify } from './values.js';

/** A body of a form, of these members or of the one argument that holds all of it. */
export function formBody(
  source: readonly Field[] | string,
  mediaType = 'application/x-www-form-urlencoded',
): BodySpec {
  return bodySpec('form', mediaType, source, encodeForm);
}

function encodeForm(spec: BodySpec, given: GivenBody): EncodedBody {
  return writtenOut(spec, given) ?? encoded(spec.mediaType, wholeBody(utf8(pairsOf(spec, given).join('&'))));
}

/** By the style of a field; where it has none, lists repeat the name and objects travel as JSON. */
function pairsOf(spec: BodySpec, given: GivenBody): string[] {
  return namedOf(spec, given).flatMap(([field, value]) => {
    if (field.style) return styled(field, value);
    const plain = simplify(value, field.argument);
    const items = Array.isArray(plain) ? plain : [plain];
    return items.map((item) => `${plus(field.name ?? field.argument)}=${plus(textOf(field, item))}`);
  });
}

function plus(text: string): string {
  return encode(text).replaceAll('%20', '+');
}
