/** The arguments of a call that are not its body: where each goes. */

import type { Arguments, Operation, ParameterSpec, PlacedParameters } from '../call.js';
import { ArgumentError } from '../errors/local.js';
import { checkedHeader, writePlain } from './parameters.js';

/** Fills in the path and returns it, and adds what goes elsewhere to query, cookies and headers. */
export type Placer = (
  operation: Operation,
  given: Arguments,
  query: string[],
  cookies: string[],
  headers: Map<string, string>,
) => string;

/** Parameters of an operation: `{id}` is one of the path, `limit` one of the query, of which there is no more to say. */
export function placed(parameters: readonly (string | ParameterSpec)[]): PlacedParameters {
  const specs = parameters.map((spec) => (typeof spec === 'string' ? plain(spec) : spec));
  return { specs, takes: specs.map(({ argument }) => argument), place };
}

function plain(said: string): ParameterSpec {
  return said[0] === '{' ? { argument: said.slice(1, -1), in: 'path' } : { argument: said, in: 'query' };
}

const place: Placer = ({ key, path, parameters }, given, query, cookies, headers) => {
  let filled = path;
  for (const spec of parameters?.specs ?? []) {
    const { argument, in: location, name = argument } = spec;
    const value = given[argument];
    if (value === undefined) continue;
    const pieces = (spec.write ?? writePlain)(spec, value);
    const text = pieces.join();
    if (location === 'query') query.push(...pieces);
    else if (location === 'header') headers.set(name.toLowerCase(), checkedHeader(name, text));
    else if (location === 'cookie') {
      // RFC 6265, section 4.1.1.
      if (/[ \t";\\]/.test(text))
        throw new ArgumentError(`the cookie ${name} holds a space, quote, semicolon or backslash`);
      cookies.push(...pieces.map((piece) => checkedHeader(name, piece)));
    } else if (text) filled = filled.replaceAll(`{${name}}`, () => text);
    else throw new ArgumentError(`${argument} must not be empty: it is part of the path`);
  }
  const missing = /\{(.*?)\}/.exec(filled);
  if (missing) throw new ArgumentError(`${key}: the path parameter ${missing[1]} is missing`);
  // Servers and fetch resolve such segments, encoded or not (RFC 3986, section 5.2.4): it would be another operation.
  if (/\/(\.|%2e){1,2}([/?]|$)/i.test(filled))
    throw new ArgumentError(`${key}: a path parameter must not be '.' or '..'`);
  return filled;
};
