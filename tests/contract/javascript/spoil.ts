/** Expectations that are wrong in one place, which a record of the right ones cannot meet. */

import type { Expected } from './files.js';

/** Words of `expected` that say what must not be, or less than there is: to change them is not to be wrong. */
const LENIENT: ReadonlySet<string> = new Set([
  'absent_events',
  'absent_headers',
  'message_excludes',
  'max_request_count',
]);

/** The same expectation with another leaf, or one too many, each time; and where that is. */
export function* spoilt(expected: Expected): Generator<readonly [where: string, Expected]> {
  for (const [where, spoiled] of changed(expected, '')) yield [where, spoiled as Expected];
}

function* changed(value: unknown, where: string): Generator<readonly [string, unknown]> {
  if (typeof value === 'string')
    yield [where, `AAAA${value}`]; // which is other bytes in base64 as well
  else if (typeof value === 'number') yield [where, value + 1];
  else if (value === null || typeof value === 'boolean') yield [where, 'something else'];
  else if (Array.isArray(value)) {
    yield [where, [...value, 'one more']];
    for (const [index, item] of value.entries()) {
      for (const [place, other] of changed(item, `${where}/${index}`))
        yield [place, value.with(index, other)];
    }
  } else if (typeof value === 'object') {
    if (/[/](json|items)\b/.test(where)) yield [where, { ...value, more: true }]; // elsewhere some members do
    for (const [name, member] of Object.entries(value)) {
      if (LENIENT.has(name)) continue;
      for (const [place, other] of changed(member, `${where}/${name}`))
        yield [place, { ...value, [name]: other }];
    }
  }
}
