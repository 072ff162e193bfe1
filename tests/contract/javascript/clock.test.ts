/** The clock of the cases. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { VirtualClock } from './clock.js';

test('time passes only where somebody waits for it', async () => {
  const clock = new VirtualClock();
  const times: number[] = [];
  const wait = async (delayMs: number) => {
    await clock.sleep(delayMs);
    times.push(clock.now());
  };
  await clock.run(Promise.all([wait(3_600_000), wait(250), wait(0)]));
  assert.deepEqual(times, [0, 250, 3_600_000]);
});

test('of two timers for one time, the one that was set first goes first', async () => {
  const clock = new VirtualClock();
  const names: string[] = [];
  clock.timer(5, () => names.push('first'));
  clock.timer(5, () => names.push('second'));
  await clock.run(clock.sleep(6));
  assert.deepEqual(names, ['first', 'second']);
});

test('a timer that was called off brings no time along', async () => {
  const clock = new VirtualClock();
  clock.timer(5, () => assert.fail('it went off'))();
  await clock.run(clock.sleep(10));
  assert.equal(clock.now(), 10);
});

test('the clock stands still while a file is read', async () => {
  const clock = new VirtualClock();
  const folder = await mkdtemp(join(tmpdir(), 'contract-'));
  const read = async () => {
    await writeFile(join(folder, 'large'), new Uint8Array(5_000_000));
    await readFile(join(folder, 'large'));
    return clock.now();
  };
  const [at] = await clock.run(Promise.all([read(), clock.sleep(10)]));
  assert.equal(at, 0);
  await rm(folder, { recursive: true });
});

test('whoever waits for what never comes is told so', async () => {
  const clock = new VirtualClock();
  await assert.rejects(clock.run(clock.sleep(Infinity)), /everybody waits/);
});

test('what fires leaves the wait with its reason', async () => {
  const clock = new VirtualClock();
  const leave = new AbortController();
  clock.timer(5, () => leave.abort(new Error('gone')));
  await assert.rejects(clock.run(clock.sleep(10, leave.signal)), /gone/);
  assert.equal(clock.now(), 5);
});
