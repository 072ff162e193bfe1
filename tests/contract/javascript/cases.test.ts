/** Every case, played to the JavaScript SDK. */

import assert from 'node:assert/strict';
import { env } from 'node:process';
import { test } from 'node:test';
import { check } from './compare.js';
import { cases, texts } from './files.js';
import { play } from './play.js';
import { spoilt } from './spoil.js';

/** One case, or those of a topic, to look at; all of them where it is empty. */
const { CONTRACT_CASE: wanted = '' } = env;
const chosen = cases().filter(({ id }) => id.startsWith(wanted));
assert.ok(chosen.length, `there is no case ${wanted}`);
const played = new Set<string>();

for (const { id, given, expected } of chosen) {
  test(id, async () => {
    const record = await play(given);
    check(record, expected);
    const wrong = [...spoilt(expected)];
    assert.ok(wrong.length, 'nothing is expected');
    for (const [where, spoiled] of wrong) {
      assert.throws(() => check(record, spoiled), assert.AssertionError, `nobody looks at ${where}`);
    }
    played.add(id);
  });
}

test('every case of every file was played', { skip: wanted && 'one was asked for' }, () => {
  const ids = texts().flatMap((text) =>
    [...text.matchAll(/"id": "([a-z]+\/[a-z0-9-]+)"/g)].map(([, id]) => id),
  );
  assert.ok(ids.length >= 398);
  assert.deepEqual([...played].sort(), ids.sort());
});
