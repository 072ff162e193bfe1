/** Arguments by position, where a method has several signatures. */

import type { Arguments, CallOptions } from './call.js';

/**
 * The arguments by name, the options, and whether events are wanted.
 *
 * `slots` are the names of those by position; `text|content` is the first of the two where it is text, else the second. The
 * object with the others comes after them, or in the place of the first that is not given; after as many by position as
 * `alone` tells there are no others, and the options come at once. `stream` is the argument that asks for events; `unsent`,
 * whether that is all it is for.
 */
export function arranged(
  given: readonly unknown[],
  slots: readonly string[],
  alone: readonly number[] = [],
  stream?: string,
  unsent?: boolean,
): [Arguments, CallOptions | undefined, boolean] {
  const args: Record<string, unknown> = {};
  let at = 0;
  for (const slot of slots) {
    const value = given[at];
    if (isPlain(value)) break;
    const [text = slot, content = text] = slot.split('|');
    args[typeof value === 'string' ? text : content] = value;
    at++;
  }
  if (!alone.includes(at)) Object.assign(args, given[at++]);
  const wanted = stream !== undefined && args[stream] === true;
  if (stream !== undefined && unsent) delete args[stream];
  return [args, given[at] as CallOptions | undefined, wanted];
}

/** Whether a value is an object of arguments: no list, nothing that gives chunks or has a class of its own. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Symbol.iterator in value || Symbol.asyncIterator in value) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
