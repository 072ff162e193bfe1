import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { ArgumentError } from '../src/runtime/errors.js';
import type { Answered, Mode } from '../src/runtime/origin.js';
import { APIPromise } from '../src/runtime/promise.js';

const answer = {
  status: 201,
  headers: new Headers({ 'x-request-id': 'r' }),
  content: new Uint8Array(),
  attempts: 2,
};
const answered = (value: unknown): Answered => ({ answer, understand: () => value });

/** How often nobody handles a rejection that this causes. */
async function unhandled(cause: () => unknown): Promise<unknown[]> {
  const reasons: unknown[] = [];
  const listener = (reason: unknown) => reasons.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', listener);
  try {
    cause();
    await setImmediate();
    await setImmediate();
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
  }
  return reasons;
}

test('it is the value, once understood', async () => {
  let times = 0;
  const promise = new APIPromise<string>(async () => ({ answer, understand: () => `om ${++times}` }));
  assert.equal(await promise, 'om 1');
  assert.equal(await promise, 'om 1');
});

test('the answer comes beside the value', async () => {
  const { data, response } = await new APIPromise(async () => answered('om')).withResponse();
  assert.equal(data, 'om');
  assert.deepEqual({ ...response }, { status: 201, headers: answer.headers, attempts: 2, requestId: 'r' });
});

test('what then makes is a plain promise, and the call begins once', async () => {
  let calls = 0;
  const promise = new APIPromise(async () => {
    calls++;
    return answered('om');
  });
  const then = promise.then((value) => value);
  assert.equal(then instanceof APIPromise, false);
  await Promise.all([then, promise, promise.withResponse(), promise.finally(() => {})]);
  assert.equal(calls, 1);
});

test('the call begins a microtask later', async () => {
  let mode: Mode | undefined;
  const promise = new APIPromise(async (asked) => {
    mode = asked;
    return answered('om');
  });
  assert.equal(mode, undefined);
  await promise;
  assert.equal(mode, 'plain');
});

test('an answer that is asked for too late is refused', async () => {
  const promise = new APIPromise(async () => answered('om'));
  await promise;
  await assert.rejects(promise.asResponse(), ArgumentError);
});

test('a call that nobody handles is told of once', async () => {
  const failing = () => new APIPromise(() => Promise.reject(new Error('no')));
  assert.equal((await unhandled(() => failing())).length, 1);
  assert.equal((await unhandled(() => failing().then(() => {}))).length, 1);
  assert.equal((await unhandled(() => failing().withResponse())).length, 1);
  assert.equal((await unhandled(() => failing().asResponse())).length, 1);
  assert.equal(
    (
      await unhandled(
        () =>
          new APIPromise(() => {
            throw new Error('no');
          }),
      )
    ).length,
    1,
  );
});

test('a call that is handled is not told of', async () => {
  const failing = () => new APIPromise(() => Promise.reject(new Error('no')));
  assert.deepEqual(await unhandled(() => failing().catch(() => {})), []);
  assert.deepEqual(
    await unhandled(() =>
      failing()
        .withResponse()
        .catch(() => {}),
    ),
    [],
  );
  assert.deepEqual(
    await unhandled(() =>
      failing()
        .asResponse()
        .catch(() => {}),
    ),
    [],
  );
});
