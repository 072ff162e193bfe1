import assert from 'node:assert/strict';
import { test } from 'node:test';

import { limitsOf } from '../../src/runtime/transport/limits.js';
import { TransportFailed } from '../../src/runtime/wire.js';
import { Clock } from '../clock.js';

const never = () => new Promise<never>(() => {});

test('the time ends what heeds no signal', async () => {
  const clock = new Clock();
  const limits = limitsOf(clock, undefined);
  limits.set(100);
  const waiting = limits.within(never());
  const ended = assert.rejects(
    waiting,
    (error) => error instanceof TransportFailed && error.failure.kind === 'timeout',
  );
  await clock.advance(100);
  await ended;
  assert.equal(limits.signal.aborted, true);
});

test('a new time takes the place of the old one', async () => {
  const clock = new Clock();
  const limits = limitsOf(clock, undefined);
  limits.set(100);
  await clock.advance(90);
  limits.set(100);
  await clock.advance(90);
  assert.equal(limits.signal.aborted, false);
  limits.clear();
  await clock.advance(1000);
  assert.equal(limits.signal.aborted, false);
});

test('the signal of the caller ends it with its own reason', async () => {
  const controller = new AbortController();
  const limits = limitsOf(new Clock(), controller.signal);
  const waiting = limits.within(never());
  controller.abort('enough');
  await assert.rejects(waiting, (reason) => reason === 'enough');
  await assert.rejects(
    limitsOf(new Clock(), controller.signal).within(never()),
    (reason) => reason === 'enough',
  );
});

test('nothing is left behind', () => {
  const clock = new Clock();
  const controller = new AbortController();
  const limits = limitsOf(clock, controller.signal);
  limits.set(100);
  limits.release(false);
  controller.abort();
  assert.equal(clock.pending, 0);
  assert.equal(limits.signal.aborted, false);
});
