/** What forms and multipart bodies have in common: named values (OpenAPI 3.1.1, Encoding Object). */

import type { BodySpec, FieldSpec } from '../call.js';
import { ArgumentError } from '../errors/local.js';
import { isJson } from '../media.js';
import { type EncodedBody, type GivenBody, memberValues } from './body.js';
import { isWhole } from './content.js';
import { queryPairs } from './styles.js';
import { encodeContent } from './text.js';
import { isObject, jsonText, kindOf, membersOf, simplify } from './values.js';

/** A member, and what is said of it; of one that was added, nothing is. */
export type Named = readonly [FieldSpec, unknown];

/** The members of a body, under their wire names; of one given whole, its own. */
export function namedOf(spec: BodySpec, given: GivenBody): Named[] {
  let values = memberValues(spec, given);
  if (!spec.fields.length) {
    const whole = given.arguments[spec.argument];
    const plain = simplify(whole, spec.argument);
    if (!isObject(plain)) throw new ArgumentError(`${spec.argument} must be an object, not ${kindOf(whole)}`);
    values = plain;
  }
  return membersOf(values).map(([name, value]) => [
    spec.fields.find((field) => (field.name ?? field.argument) === name) ?? { argument: name },
    value,
  ]);
}

/** A body that was given whole, written out already. */
export function writtenOut(spec: BodySpec, given: GivenBody): EncodedBody | undefined {
  const whole = spec.fields.length ? undefined : given.arguments[spec.argument];
  return isWhole(whole) ? encodeContent(spec, given) : undefined;
}

/** The `name=value` pairs of a field that has a style, as of a query parameter. */
export function styled(field: FieldSpec, value: unknown): string[] {
  return queryPairs({ explode: false, ...field, in: 'query', contentType: '' }, value);
}

/** Text as it is, everything else as JSON. */
export function textOf(field: FieldSpec, value: unknown): string {
  const plain = simplify(value, field.argument);
  return typeof plain === 'string' && !isJson(field.contentType ?? '')
    ? plain
    : jsonText(plain, field.argument);
}
