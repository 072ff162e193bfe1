/** Members of answers, and methods beside them. */

/** What stands at `meta.next_cursor`, however deep; undefined where a step leads nowhere, itself where there is none. */
export function member(value: unknown, way: string): unknown {
  let found = value;
  for (const step of way ? way.split('.') : []) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Record<string, unknown>)[step];
  }
  return found;
}

/**
 * The value itself, with methods that nobody sees who looks at its members; those that it has win.
 *
 * A prototype would be seen by strict comparison, and take the place of that of an array.
 */
export function withMethods<T extends object>(value: T, methods: object): T {
  for (const name of Reflect.ownKeys(methods)) {
    if (Object.hasOwn(value, name)) continue;
    Object.defineProperty(value, name, {
      value: Reflect.get(methods, name),
      writable: true,
      configurable: true,
    });
  }
  return value;
}
