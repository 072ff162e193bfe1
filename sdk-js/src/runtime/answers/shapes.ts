/** What values are like, as far as answers are checked: a shape is a function that says what is wrong. */

/**
 * Says what is wrong with a value, beginning with the place (`/documents/0/id is missing`, a JSON Pointer as in RFC 6901;
 * ` is no string` for the value itself), never what the value is; undefined where it is as described.
 *
 * Undeclared members are always allowed; values that an enum does not list and variants that a union does not, unless
 * `strict`. On the good path nothing is allocated.
 */
export type Shape = (value: unknown, strict: boolean) => string | undefined;

/** Members by name. */
export type Members = Readonly<Record<string, Shape>>;

/** Any JSON value. */
export const anything: Shape = () => undefined;
/** Only null. */
export const nothing: Shape = (value) => (value === null ? undefined : ' is not null');
export const string: Shape = (value) => (typeof value === 'string' ? undefined : ' is no string');
export const number: Shape = (value) => (typeof value === 'number' ? undefined : ' is no number');
export const integer: Shape = (value) => (Number.isInteger(value) ? undefined : ' is no whole number');
export const boolean: Shape = (value) =>
  typeof value === 'boolean' ? undefined : ' is neither true nor false';

/** One of the values listed; another of the same kind unless strict. */
export function oneOf(...values: readonly unknown[]): Shape {
  return (value, strict) =>
    values.includes(value) || (!strict && values.some((listed) => typeof listed === typeof value))
      ? undefined
      : ' is none of the values that are described';
}

/** A list: `prefix` by position, then any number of `items`. */
export function array(items: Shape, ...prefix: readonly Shape[]): Shape {
  return (value, strict) => {
    if (!Array.isArray(value)) return ' is no list';
    for (let index = 0; index < value.length; index++) {
      const wrong = (prefix[index] ?? items)(value[index], strict);
      if (wrong) return `/${index}${wrong}`;
    }
    return undefined;
  };
}

/** An object all of whose members are alike. */
export function record(values: Shape): Shape {
  return object({}, {}, values);
}

/** An object with members that must be there, members that may, and others that are alike. */
export function object(required: Members, optional: Members = {}, others?: Shape): Shape {
  return (value, strict) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return ' is no object';
    const members = value as Record<string, unknown>;
    for (const name in required) if (!Object.hasOwn(members, name)) return `${placed(name)} is missing`;
    for (const name in members) {
      const shape = ownOf(required, name) ?? ownOf(optional, name) ?? others;
      const wrong = shape?.(members[name], strict);
      if (wrong) return placed(name) + wrong;
    }
    return undefined;
  };
}

/** At least one of several; anything else unless strict. */
export function union(...variants: readonly Shape[]): Shape {
  return (value, strict) =>
    !strict || variants.some((variant) => !variant(value, strict)) ? undefined : ' is none of its variants';
}

/** One of several, told apart by a property; another unless strict. */
export function tagged(property: string, variants: Members): Shape {
  return (value, strict) => {
    if (typeof value !== 'object' || value === null) return ' is no object';
    const variant = ownOf(variants, String((value as Record<string, unknown>)[property]));
    return variant ? variant(value, strict) : strict ? `${placed(property)} names no variant` : undefined;
  };
}

/** The same, or null. */
export function nullable(shape: Shape): Shape {
  return (value, strict) => (value === null ? undefined : shape(value, strict));
}

/** All of several at once. */
export function all(...shapes: readonly Shape[]): Shape {
  return (value, strict) => {
    for (const shape of shapes) {
      const wrong = shape(value, strict);
      if (wrong) return wrong;
    }
    return undefined;
  };
}

/** One that is defined further on, or within itself. */
export function lazy(shape: () => Shape): Shape {
  return (value, strict) => shape()(value, strict);
}

/** A member that the answer may have named: never one that objects inherit. */
function ownOf(members: Members, name: string): Shape | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

function placed(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
