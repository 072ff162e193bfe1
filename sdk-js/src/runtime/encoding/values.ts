/** Values as JSON ones: what parameters and JSON bodies are made of. */

import { ArgumentError } from '../errors/local.js';

/** What `simplify` gives; the items of a list and the members of an object are as they were. */
export type Plain =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly unknown[]
  | Readonly<Record<string, unknown>>;

/** `value` as compact JSON, as `JSON.stringify` writes it, and big integers to the digit; `where` names it in errors. */
export function jsonText(value: unknown, where: string): string {
  try {
    return isJsonAlready(value) ? JSON.stringify(value) : write(value, '');
  } catch (error) {
    // A RangeError where an object holds itself.
    throw new ArgumentError(`${where} cannot be written as JSON: ${error instanceof Error && error.message}`);
  }
}

/** Whether `JSON.stringify`, which is several times as fast, writes the same. */
function isJsonAlready(value: unknown): boolean {
  if (typeof value === 'string') return !/\p{Cs}/u.test(value);
  if (typeof value !== 'object') return typeof value === 'boolean' || Number.isFinite(value);
  if (value === null) return true;
  if (Array.isArray(value)) return value.every(isJsonAlready);
  if (kindOf(value) !== 'Object' || 'toJSON' in value) return false;
  return Object.entries(value).every(
    ([name, member]) => isJsonAlready(name) && (member === undefined || isJsonAlready(member)),
  );
}

function write(value: unknown, at: string): string {
  const plain = simplify(value, at || 'it');
  if (typeof plain === 'string') return JSON.stringify(wellFormed(plain));
  if (Array.isArray(plain)) return `[${Array.from(plain, (item, index) => write(item, `${at}/${index}`))}]`;
  return isObject(plain)
    ? `{${membersOf(plain).map(([name, member]) => `${write(name, at)}:${write(member, `${at}/${name}`)}`)}}`
    : String(plain);
}

/**
 * One step towards JSON: a date gives its text, a set its items, whatever has `toJSON` what that returns.
 *
 * Throws `ArgumentError` where there is no such step; `at` says where that is.
 */
export function simplify(value: unknown, at: string): Plain {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'object') {
    if (value === null || Array.isArray(value)) return value;
    if (value instanceof Set) return [...value];
    if (value instanceof Date) {
      // To the second or the microsecond, as Python writes it; of a date that is none, toJSON gives null.
      if (Number.isFinite(+value))
        return value.toISOString().replace(/\.\d+/, (part) => (+part ? `${part}000` : ''));
    } else if ('toJSON' in value && typeof value.toJSON === 'function') return simplify(value.toJSON(), at);
    // Neither a promise nor bytes, nor another thing whose members are not its content.
    else if (kindOf(value) === 'Object') return value as Readonly<Record<string, unknown>>;
  }
  throw new ArgumentError(
    `${at} is ${typeof value === 'number' ? value : `of type ${kindOf(value)}`}, which has no JSON form`,
  );
}

export function isObject(plain: Plain): plain is Readonly<Record<string, unknown>> {
  return plain !== null && typeof plain === 'object' && !Array.isArray(plain);
}

/** The members that are there: one that is undefined is not. */
export function membersOf<T>(plain: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(plain).filter(([, member]) => member !== undefined);
}

/** `text`, if it has an encoding. */
export function wellFormed(text: string): string {
  if (/\p{Cs}/u.test(text)) throw new ArgumentError('text must not hold a lone surrogate');
  return text;
}

/** What kind of thing a value is, for messages: `Promise`, `Function`; never what it holds. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
