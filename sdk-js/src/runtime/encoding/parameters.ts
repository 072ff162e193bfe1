/** Parameters on the wire: OpenAPI's style and explode, which are the operators of RFC 6570. */

import type { ParameterSpec } from '../call.js';
import { ArgumentError } from '../errors.js';
import { isJson } from '../media.js';
import { isObject, jsonText, membersOf, type Plain, simplify } from './values.js';

/** What RFC 6570's `{+var}` keeps, less what ends or splits a query, or stands for a space in it. */
const RESERVED = ":/?@!$'()*,;=";

/** The text that stands for `{name}` in the path, percent-encoded. */
export function pathSegment(spec: ParameterSpec, value: unknown): string {
  if (spec.contentType) return encode(content(spec, value));
  const { style, explode = true } = spec;
  const plain = simplify(value, spec.argument);
  const pieces = piecesOf(spec, plain);
  const prefix = style === 'label' ? '.' : style === 'matrix' ? ';' : '';
  const head = prefix === ';' && !(explode && isObject(plain)) ? `;${encode(nameOf(spec))}=` : prefix;
  const text = head + pieces.join((explode && head) || ',');
  if (plain === '' || !pieces.length || !text)
    throw new ArgumentError(`${spec.argument} must not be empty: it is part of the path`);
  return text;
}

/**
 * The `name=value` pairs of a query parameter or a cookie, percent-encoded unless its style is `cookie` (OpenAPI 3.2);
 * none for an empty list or object.
 */
export function queryPairs(spec: ParameterSpec, value: unknown): string[] {
  const { style = '', explode = true } = spec;
  const name = written(spec, nameOf(spec));
  if (spec.contentType) return [`${name}=${written(spec, content(spec, value))}`];
  const plain = simplify(value, spec.argument);
  const deep = style === 'deepObject';
  if (deep && isObject(plain)) return deepPairs(spec, name, plain);
  const pieces = piecesOf(spec, plain);
  if (explode && !deep) return isObject(plain) ? pieces : pieces.map((piece) => `${name}=${piece}`);
  return pieces.length ? [`${name}=${pieces.join(encode(delimiterOf(style)) || ',')}`] : [];
}

/** The value of a header: style simple, never percent-encoded (OpenAPI 3.1.1, appendix D). */
export function headerText(spec: ParameterSpec, value: unknown): string {
  const text = spec.contentType
    ? content(spec, value)
    : piecesOf(spec, simplify(value, spec.argument)).join();
  return checkedHeader(nameOf(spec), text);
}

/** The `name=value` pairs of a cookie. */
export function cookiePairs(spec: ParameterSpec, value: unknown): string[] {
  const pairs = queryPairs(spec, value);
  // RFC 6265, section 4.1.1.
  if (pairs.some((pair) => /[ \t";\\]/.test(pair)))
    throw new ArgumentError(`the cookie ${nameOf(spec)} holds a space, quote, semicolon or backslash`);
  return pairs.map((pair) => checkedHeader(nameOf(spec), pair));
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

/**
 * Percent-encoded UTF-8 (RFC 3986): letters, digits, `-._~` and `keep` stay.
 *
 * @example
 * encode('a b/ś') // 'a%20b%2F%C5%9B'
 */
export function encode(text: string, keep = ''): string {
  if (/\p{Cs}/u.test(text))
    throw new ArgumentError('text cannot be sent as UTF-8: it holds a lone surrogate');
  return encodeURIComponent(text).replace(/[!'()*]|%[2-4]./g, (found) => {
    const character = decodeURIComponent(found);
    return keep.includes(character) ? character : `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}

/** `filter[lang]=sa`, nested as deep as the value is; lists repeat the name. The brackets are encoded. */
function deepPairs(spec: ParameterSpec, prefix: string, value: unknown): string[] {
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
function piecesOf(spec: ParameterSpec, plain: Plain): string[] {
  if (Array.isArray(plain)) return plain.map((item) => pieceOf(spec, item));
  if (!isObject(plain)) return [written(spec, scalar(spec, plain))];
  return membersOf(plain).flatMap(([key, member]) => {
    const pair = [pieceOf(spec, key, '='), pieceOf(spec, member)];
    return spec.explode === false ? pair : pair.join('=');
  });
}

/** A piece of a list or object, encoded so that what stands between them (and `more`) is not in it. */
function pieceOf(spec: ParameterSpec, item: unknown, more = ''): string {
  const { in: location, style = '', explode = true } = spec;
  const text = scalar(spec, item);
  const separators = isBare(spec)
    ? (explode && location === 'cookie' ? '' : ',') + (explode ? more : '')
    : explode
      ? ''
      : delimiterOf(style);
  for (const separator of separators)
    if (text.includes(separator))
      // Encoded or not, a server takes it for the end of the item (OpenAPI 3.1.1, Parameter Object).
      throw new ArgumentError(`no item of ${spec.argument} may hold '${separator}', which separates them`);
  const piece = written(spec, text, `,${more}${location === 'path' ? ';' : ''}`);
  return location === 'path' && style === 'label' ? piece.replaceAll('.', '%2E') : piece;
}

/** Text as it travels: allowReserved is for the query; in a path it must not end a segment, nor a piece anywhere. */
function written(spec: ParameterSpec, text: string, ends = ''): string {
  if (isBare(spec)) return text;
  const lost = ends + (spec.in === 'path' ? '/?' : '');
  const kept = spec.allowReserved && spec.in !== 'cookie' ? RESERVED : '';
  return encode(text, [...kept].filter((character) => !lost.includes(character)).join(''));
}

/** Text as it is, everything else as JSON writes it: `true`, `null`, `1.5`. */
function scalar(spec: ParameterSpec, value: unknown): string {
  const plain = simplify(value, spec.argument);
  if (typeof plain === 'object' && plain)
    throw new ArgumentError(
      `${spec.argument} is nested deeper than a parameter of style ${spec.style ?? 'form'} can carry`,
    );
  return String(plain);
}

/** The text of a `content` parameter: as JSON, unless it is text in another media type already. */
function content({ argument, contentType = '' }: ParameterSpec, value: unknown): string {
  return typeof value === 'string' && !isJson(contentType) ? value : jsonText(value, argument);
}

function isBare(spec: ParameterSpec): boolean {
  return spec.in === 'header' || spec.style === 'cookie';
}

function delimiterOf(style: string): string {
  return style === 'spaceDelimited' ? ' ' : style === 'pipeDelimited' ? '|' : '';
}

function nameOf(spec: ParameterSpec): string {
  return spec.name ?? spec.argument;
}
