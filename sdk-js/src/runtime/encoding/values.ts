/** Values as JSON ones: what parameters and JSON bodies are made of. */

import { ArgumentError } from '../errors.js';

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
  let why: unknown;
  try {
    const text = write(value, '');
    // So is half a character written, after an even number of backslashes.
    if (!/[^\\](\\\\)*\\ud/.test(text)) return text;
    why = 'it holds a lone surrogate';
  } catch (error) {
    // A RangeError where an object holds itself.
    why = error instanceof Error ? error.message : error;
  }
  throw new ArgumentError(`${where} cannot be written as JSON: ${why}`);
}

function write(value: unknown, at: string): string {
  const plain = simplify(value, at || 'it');
  if (typeof plain === 'string') return JSON.stringify(plain);
  if (Array.isArray(plain)) return `[${Array.from(plain, (item, index) => write(item, `${at}/${index}`))}]`;
  if (!isObject(plain)) return String(plain);
  return `{${membersOf(plain).map(([name, member]) => `${JSON.stringify(name)}:${write(member, `${at}/${name}`)}`)}}`;
}

/**
 * One step towards JSON: a date gives its text, a set its items, whatever has `toJSON` what that returns.
 *
 * Throws `ArgumentError` where there is no such step; `at` says where that is.
 */
export function simplify(value: unknown, at: string, last = false): Plain {
  const kind = kindOf(value);
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      break;
    case 'object':
      if (value === null || Array.isArray(value)) return value;
      if (value instanceof Set) return [...value];
      if (value instanceof Map) return Object.fromEntries(value);
      if (value instanceof Date) {
        // To the second or the microsecond, as other languages write it; of a date that is none, toJSON gives null.
        if (!Number.isNaN(value.getTime()))
          return value.toISOString().replace(/\.(\d+)/, (part) => (part === '.000' ? '' : `${part}000`));
      } else if (!last && 'toJSON' in value && typeof value.toJSON === 'function')
        return simplify(value.toJSON(), at, true);
      // Neither a promise nor bytes, nor another thing whose members are not its content.
      else if (kind === 'Object') return { ...value };
  }
  throw new ArgumentError(
    `${at} is ${typeof value === 'number' ? value : `of type ${kind}`}, which has no JSON form`,
  );
}

export function isObject(plain: Plain): plain is Readonly<Record<string, unknown>> {
  return typeof plain === 'object' && plain !== null && !Array.isArray(plain);
}

/** The members that are there: one that is undefined is not. */
export function membersOf(plain: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(plain).filter(([, member]) => member !== undefined);
}

/** What kind of thing a value is, for messages: `Promise`, `Function`; never what it holds. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
