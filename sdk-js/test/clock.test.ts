/** The clock that other tests live by. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../src/runtime/surroundings.js';
import { Clock } from './clock.js';

test('timers fire in order, each after what the one before has set off', async () => {
  const clock = new Clock();
  const seen: string[] = [];
  const note = (text: string) => () => seen.push(`${text} ${clock.now() - began}`);
  const began = clock.now();
  clock.timer(20, note('late'));
  clock.timer(10, () => sleep(clock, 5, undefined).then(note('chained')));
  clock.timer(12, note('stopped'))();
  await clock.advance(19);
  assert.deepEqual([seen, clock.now() - began, clock.pending], [['chained 15'], 19, 1]);
  await clock.advance(1);
  assert.deepEqual(
    [seen, clock.waited],
    [
      ['chained 15', 'late 20'],
      [10, 5, 20],
    ],
  );
});

test('a promise that nothing will settle is told from one that waits', async () => {
  const clock = new Clock();
  await clock.finish(sleep(clock, 1_000_000, undefined));
  await assert.rejects(clock.finish(new Promise(() => {})), /no timer/);
});
