/** Parameters on the wire: OpenAPI's style and explode, which are the operators of RFC 6570. */

import type { ParameterSpec, StyledParameter } from '../call.js';
import { ArgumentError } from '../errors/local.js';
import { isJson } from '../media.js';
import { encode, refuseWithin, scalarText } from './parameters.js';
import { isObject, jsonText, membersOf, type Plain, simplify } from './values.js';

/** How a parameter is written, as far as its description says so. */
type Style = Omit<StyledParameter, 'write'>;

/** What RFC 6570's `{+var}` keeps, less what ends or splits a query, or stands for a space in it. */
const RESERVED = ":/?@!$'()*,;=";

/** What stands between the items of a list that is not exploded, where that is no comma. */
const DELIMITERS: Readonly<Record<string, string>> = { spaceDelimited: ' ', pipeDelimited: '|' };

/** What a path begins each value with. */
const PREFIXES: Readonly<Record<string, string>> = { label: '.', matrix: ';' };

/** Writes a parameter as its `style`, `explode`, `allowReserved` or `contentType` say. */
export function styled(spec: ParameterSpec, value: unknown): string[] {
  if (spec.in === 'path') return [pathSegment(spec, value)];
  return spec.in === 'header' ? [piecesOf(spec, plainOf(spec, value)).join()] : queryPairs(spec, value);
}

function pathSegment(spec: Style, value: unknown): string {
  const { style = '', explode = true } = spec;
  const plain = plainOf(spec, value);
  if (spec.contentType) return encode(scalarText(spec.argument, plain));
  const pieces = piecesOf(spec, plain);
  if (plain === '' || !pieces.length) return '';
  const prefix = PREFIXES[style] ?? '';
  const head = prefix === ';' && !(explode && isObject(plain)) ? `;${encode(nameOf(spec))}=` : prefix;
  return head + pieces.join((explode && head) || ',');
}

/**
 * The `name=value` pairs of a query parameter or a cookie, percent-encoded unless its style is `cookie` (OpenAPI 3.2);
 * none for an empty list or object.
 */
export function queryPairs(spec: Style, value: unknown): string[] {
  const { style = '', explode = true } = spec;
  const name = isBare(spec) ? nameOf(spec) : encode(nameOf(spec));
  const plain = plainOf(spec, value);
  const deep = style === 'deepObject';
  if (deep && isObject(plain)) return deepPairs(spec, name, plain);
  const pieces = piecesOf(spec, plain);
  if (explode && !deep) return isObject(plain) ? pieces : pieces.map((piece) => `${name}=${piece}`);
  return pieces.length ? [`${name}=${pieces.join(encode(DELIMITERS[style] ?? '') || ',')}`] : [];
}

/** `filter[lang]=sa`, nested as deep as the value is; lists repeat the name. The brackets are encoded. */
function deepPairs(spec: Style, prefix: string, value: unknown): string[] {
  const plain = simplify(value, spec.argument);
  if (Array.isArray(plain)) return plain.flatMap((item) => deepPairs(spec, prefix, item));
  if (!isObject(plain)) return [`${prefix}=${piecesOf(spec, plain)}`];
  return membersOf(plain).flatMap(([key, member]) => {
    if (!key || /[[\]]/.test(key))
      throw new ArgumentError(`no name in ${spec.argument} may be empty or hold a bracket`);
    return deepPairs(spec, `${prefix}%5B${encode(key)}%5D`, member);
  });
}

/** The pieces of a list or an object, or the only one of a scalar; `key=member` where an object is exploded. */
function piecesOf(spec: Style, plain: Plain): string[] {
  if (Array.isArray(plain)) return plain.map((item) => pieceOf(spec, item, ','));
  if (!isObject(plain)) return [pieceOf(spec, plain, '')];
  return membersOf(plain).flatMap(([key, member]) => {
    const pair = [pieceOf(spec, key, ',='), pieceOf(spec, member, ',')];
    return spec.explode === false ? pair : pair.join('=');
  });
}

/** A scalar, encoded so that what stands between the pieces of a list or object (`between`) is not in it. */
function pieceOf(spec: Style, item: unknown, between: string): string {
  const { argument, in: location, style = '', explode = true } = spec;
  const text = scalarText(argument, item);
  if (isBare(spec)) {
    refuseWithin(argument, text, between.slice(explode && location === 'cookie' ? 2 : 0, explode ? 2 : 1));
    return text;
  }
  if (between && !explode) refuseWithin(argument, text, DELIMITERS[style] ?? '');
  // allowReserved is for the query; in a path it must not end a segment.
  const path = location === 'path';
  const ends = between + (path ? `${between && ';'}/?` : '');
  const kept = spec.allowReserved && location !== 'cookie' ? RESERVED : '';
  const piece = encode(text).replace(/%[2-4]./g, (found) => {
    const character = decodeURIComponent(found);
    return kept.includes(character) && !ends.includes(character) ? character : found;
  });
  return path && between && style === 'label' ? piece.replaceAll('.', '%2E') : piece;
}

/** The text of a `content` parameter: as JSON, unless it is text in another media type already. */
function plainOf({ argument, contentType }: Style, value: unknown): Plain {
  return contentType && (typeof value !== 'string' || isJson(contentType))
    ? jsonText(value, argument)
    : simplify(value, argument);
}

function isBare(spec: Style): boolean {
  return spec.in === 'header' || spec.style === 'cookie';
}

function nameOf({ argument, name = argument }: Style): string {
  return name;
}
