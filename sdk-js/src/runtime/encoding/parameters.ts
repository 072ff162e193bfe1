/** Parameters on the wire in the style that OpenAPI gives their place; styles.ts has the others. */

import type { ParameterSpec } from '../call.js';
import { ArgumentError } from '../errors/local.js';
import { isObject, membersOf, simplify, wellFormed } from './values.js';

/**
 * What a parameter adds to its place: `name=value` pairs to the query or the cookies, none for an empty list; its pieces, to
 * be joined by commas, in the path and in headers. Percent-encoded, except in headers.
 */
export type ParameterWriter = (spec: ParameterSpec, value: unknown) => string[];

/** In the path and in headers as of style simple, in the query and in cookies as of style form, exploded. */
export const writePlain: ParameterWriter = (spec, value) => {
  const { argument, in: location, name = argument } = spec;
  const header = location === 'header';
  const paired = !header && location !== 'path';
  const plain = simplify(value, argument);
  const text = (item: unknown) => {
    const said = scalarText(argument, item);
    if (header && item !== plain) refuseWithin(argument, said, ',');
    // OpenAPI 3.1.1, appendix D.
    return header ? said : encode(said);
  };
  if (isObject(plain))
    return membersOf(plain).flatMap(([key, member]) => {
      const pair = [text(key), text(member)];
      return paired ? pair.join('=') : pair;
    });
  const pieces = Array.isArray(plain) ? plain.map(text) : [text(plain)];
  return paired ? pieces.map((piece) => `${encode(name)}=${piece}`) : pieces;
};

/** Text as it is, everything else as JSON writes it: `true`, `null`, `1.5`. */
export function scalarText(argument: string, value: unknown): string {
  const plain = simplify(value, argument);
  if (plain && typeof plain === 'object')
    throw new ArgumentError(`${argument} is nested deeper than a parameter of its style can carry`);
  return String(plain);
}

/** Encoded or not, a server takes a separator for the end of the item (OpenAPI 3.1.1, Parameter Object). */
export function refuseWithin(argument: string, text: string, separators: string): void {
  for (const separator of separators)
    if (text.includes(separator))
      throw new ArgumentError(`no item of ${argument} may hold '${separator}', which separates them`);
}

/** `text`, if it can be the value of a header; the error never repeats it, since it may be a secret. */
export function checkedHeader(name: string, text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\0-\x08\n-\x1f\x7f]|^\s|\s$/.test(text))
    throw new ArgumentError(
      `the value of header ${name} holds a control character, or white space at its ends`,
    );
  return text;
}

/** `name=value`, percent-encoded. */
export function pairOf(name: string, text: string): string {
  return `${encode(name)}=${encode(text)}`;
}

/**
 * Percent-encoded UTF-8 (RFC 3986): letters, digits and `-._~` stay.
 *
 * @example
 * encode('a b/ś') // 'a%20b%2F%C5%9B'
 */
export function encode(text: string): string {
  return encodeURIComponent(wellFormed(text)).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
