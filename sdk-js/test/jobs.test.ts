import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Operation, ResponseSpec } from '../src/runtime/call.js';
import { placed } from '../src/runtime/encoding/placed.js';
import { DecodingError, JobFailedError, JobTimeoutError } from '../src/runtime/errors.js';
import { type Job, type JobSpec, job } from '../src/runtime/jobs.js';
import { Clock } from './clock.js';
import { type Scripted, ScriptedCaller } from './scripted.js';

interface Work {
  readonly id: string;
  readonly state?: string;
  readonly error?: unknown;
}

const SPEC: JobSpec = {
  status: () => STATUS,
  argument: 'id',
  done: ['done'],
  failed: ['failed'],
  error: 'error',
};
const WORK: ResponseSpec = {
  status: '200',
  mediaType: 'application/json',
  kind: 'json',
  shape: () => undefined,
};
const TICKET: ResponseSpec = { ...WORK, status: '202', shape: () => undefined };

const STATUS: Operation<Job<Work>> = {
  key: 'jobs.get',
  method: 'GET',
  path: '/jobs/{id}',
  parameters: placed(['{id}', 'tenant']),
  responses: [WORK],
  goesOn: job(SPEC),
};
const START: Operation<Job<Work>> = {
  key: 'jobs.start',
  method: 'POST',
  path: '/jobs',
  responses: [WORK],
  goesOn: job(SPEC),
};

const at = (state?: string, more: object = {}): Scripted => ({ value: { id: 'j1', state, ...more } });

function started(script: readonly Scripted[], operation = START, args = {}, options = {}) {
  const clock = new Clock();
  const caller = new ScriptedCaller(script, clock);
  return { clock, caller, promise: caller.call(operation, args, options) };
}

test('a job is asked how far it is, ever more patiently', async () => {
  const { clock, caller, promise } = started([at('queued'), ...Array(7).fill(at('running')), at('done')]);
  const begun = await promise;
  assert.deepEqual(begun, { id: 'j1', state: 'queued' });
  assert.deepEqual(await clock.finish(begun.wait()), { id: 'j1', state: 'done' });
  assert.deepEqual(clock.waited, [1000, 1500, 2250, 3375, 5062.5, 7593.75, 10_000, 10_000]);
  assert.equal(caller.calls.at(-1)?.operation, STATUS);
});

test('one that has ended already is not asked for', async () => {
  const { caller, promise } = started([at('done')]);
  assert.deepEqual(await (await promise).wait(), { id: 'j1', state: 'done' });
  assert.equal(caller.calls.length, 1);
});

test('what began it may be something else than a job, whatever its members say', async () => {
  const ticket = { ...START, responses: [TICKET] };
  const { clock, promise } = started([at('failed'), at('done')], ticket);
  assert.equal((await clock.finish((await promise).wait())).state, 'done');
});

test('a server that says when to ask is not asked earlier', async () => {
  const { clock, promise } = started([
    { ...at('queued'), headers: { 'retry-after': '5' } },
    { ...at('running'), headers: { 'retry-after': '1' } },
    at('done'),
  ]);
  await clock.finish((await promise).wait());
  assert.deepEqual(clock.waited, [5000, 1500]);
});

test('a job that failed is an error with its reason', async () => {
  const { clock, promise } = started([at('queued'), at('failed', { error: { code: 7 } })]);
  await assert.rejects(clock.finish((await promise).wait()), (error) => {
    assert.ok(error instanceof JobFailedError);
    assert.deepEqual([error.operation, error.state, error.reason], ['jobs.start', 'failed', '{"code":7}']);
    return true;
  });
});

test('the last question comes when the time is over', async () => {
  const { clock, caller, promise } = started([at('queued'), at('running'), at('running')]);
  await assert.rejects(
    clock.finish((await promise).wait({ timeoutMs: 2000 })),
    (error) => error instanceof JobTimeoutError && /2 s/.test(error.message),
  );
  assert.deepEqual([clock.waited, caller.calls.length], [[1000, 1000], 3]);
});

test('a job without a state is not what was described', async () => {
  const { clock, promise } = started([at('queued'), at(undefined)]);
  await assert.rejects(clock.finish((await promise).wait()), DecodingError);
});

test('every answer is told of, and waited for', async () => {
  const { clock, promise } = started([at('queued'), at('running'), at('done')]);
  const seen: unknown[] = [];
  const onProgress = async ({ state }: Work) => {
    await Promise.resolve();
    seen.push(state);
  };
  await clock.finish((await promise).wait({ onProgress }));
  assert.deepEqual(seen, ['running', 'done']);
});

test('what it shares with the call that began it goes along', async () => {
  const options = { timeoutMs: 5, extraHeaders: { 'X-Tenant': 't', Accept: 'a/b', 'content-type': 'c/d' } };
  const { clock, caller, promise } = started(
    [at('queued'), at('done')],
    START,
    { tenant: 't', input: 'x' },
    options,
  );
  await clock.finish((await promise).wait());
  const asked = caller.calls[1];
  assert.deepEqual(asked?.args, { id: 'j1', tenant: 't' });
  assert.deepEqual(asked?.options.extraHeaders, { 'X-Tenant': 't' });
  assert.equal(asked?.options.timeoutMs, undefined);
});

test('the signal ends the wait with its own reason', async () => {
  const { clock, promise } = started([at('queued')]);
  const begun = await promise;
  const controller = new AbortController();
  const waiting = assert.rejects(begun.wait({ signal: controller.signal }), (reason) => reason === 'enough');
  controller.abort('enough');
  await waiting;
  assert.equal(clock.pending, 0);
});
