import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { deprecationNotice, warnOnce } from '../../src/runtime/answers/deprecation.js';
import { SURROUNDINGS } from '../../src/runtime/surroundings.js';

const NOW = 1_700_000_000_000; // 14 Nov 2023

const said = (headers: Record<string, string>) => deprecationNotice('o', new Headers(headers), NOW);

test('what is said', () => {
  const cases: [Record<string, string>, string][] = [
    [{}, ''],
    [{ deprecation: '@1688169599' }, 'o is deprecated since 2023-06-30'],
    [{ deprecation: '@1798761600' }, 'o is deprecated from 2027-01-01'],
    [{ deprecation: 'true' }, 'o is deprecated'],
    [{ deprecation: 'Fri, 30 Jun 2023 23:59:59 GMT' }, 'o is deprecated since 2023-06-30'],
    [{ deprecation: '@9999999999999' }, 'o is deprecated from @9999999999999'],
    [{ sunset: 'Sun, 30 Jun 2024 23:59:59 GMT' }, 'o ends on 2024-06-30'],
    [{ sunset: 'Fri, 30 Jun 2023 23:59:59 GMT' }, 'o ended on 2023-06-30'],
    [{ sunset: 'soon' }, ''],
    [
      { deprecation: '@1688169599', sunset: 'Sun, 30 Jun 2024 23:59:59 GMT' },
      'o is deprecated since 2023-06-30 and ends on 2024-06-30',
    ],
  ];
  for (const [headers, expected] of cases) assert.equal(said(headers), expected);
});

test('where more is said', () => {
  const cases: [string, string][] = [
    ['<https://d.test/a>; rel="deprecation"; type="text/html"', 'https://d.test/a'],
    ['<https://d.test/a>; rel=sunset', 'https://d.test/a'],
    [
      '<https://d.test/n>; rel="next", <https://d.test/v2?a=1,2>; rel="successor-version"',
      'https://d.test/v2?a=1,2',
    ],
  ];
  for (const [link, url] of cases) {
    assert.equal(said({ deprecation: 'true', link }), `o is deprecated; see ${url}`);
  }
});

test('other links are not named', () => {
  assert.equal(said({ deprecation: 'true', link: '<https://d.test/n>; rel="next"' }), 'o is deprecated');
});

test('a process is warned once of the same', async () => {
  const warning = { surroundings: SURROUNDINGS, warned: new Set<string>() };
  const heard = once(process, 'warning');
  warnOnce(warning, 'documents.get', 'documents.get ends');
  const [{ name, message }] = await heard;
  assert.deepEqual([name, message], ['DeprecationWarning', 'documents.get ends']);
  const told: string[] = [];
  const quiet = { ...warning, surroundings: { ...SURROUNDINGS, warn: (said: string) => told.push(said) } };
  warnOnce(quiet, 'documents.get', 'documents.get ends');
  warnOnce(quiet, 'documents.list', 'documents.list ends');
  assert.deepEqual(told, ['documents.list ends']);
});
