/** When to try again. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigurationError } from '../../src/runtime/errors.js';
import { backoff, resolveRetry } from '../../src/runtime/policies/retry.js';
import { dateMs, retryAfterMs } from '../../src/runtime/policies/retry-after.js';

const WALL = 1_700_000_000_000;
const asked = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), WALL);

describe('what the server asks to wait', () => {
  for (const [text, ms] of [
    ['7', 7000],
    ['7.0', 7000],
    [' 7 ', 7000],
    ['7.', 7000],
    ['.5', 500],
    ['1.005', 1005],
    ['0', 0],
    ['Tue, 14 Nov 2023 22:13:30 GMT', 10_000],
    ['Tuesday, 14-Nov-23 22:13:30 GMT', 10_000],
    ['Tue Nov 14 22:13:30 2023', 10_000],
    ['Tue, 14 Nov 2023 22:00:00 GMT', 0],
  ] as const)
    test(`${text}`, () => assert.equal(asked({ 'retry-after': text }), ms));

  for (const text of [
    'soon',
    '-3',
    '1e1',
    'Infinity',
    '1.2.3',
    '',
    '.',
    'Tue, 99 Foo 2025',
    'Tue, 99 Foo 2025 00:00:00 GMT',
    '2023-11-14',
  ])
    test(`nothing that can be read: ${text}`, () => assert.equal(asked({ 'retry-after': text }), undefined));

  test('milliseconds come before seconds, and are exact', () => {
    assert.equal(asked({ 'retry-after-ms': '1250.5', 'retry-after': '2' }), 1250.5);
    assert.equal(asked({ 'retry-after-ms': 'soon', 'retry-after': '2' }), 2000);
  });

  test('a date is compared with the server’s own', () => {
    const date = 'Tue, 01 Jul 2025 00:00:00 GMT';
    assert.equal(asked({ 'retry-after': 'Tue, 01 Jul 2025 00:00:12 GMT', date }), 12_000);
  });
});

test('dates are those of HTTP in all their forms, and nothing else', () => {
  const EXAMPLE = 784_111_777_000; // RFC 9110, section 5.6.7
  assert.equal(dateMs('Sun, 06 Nov 1994 08:49:37 GMT'), EXAMPLE);
  assert.equal(dateMs('Sunday, 06-Nov-94 08:49:37 GMT'), EXAMPLE);
  assert.equal(dateMs('Sun Nov  6 08:49:37 1994'), EXAMPLE);
  for (const text of ['', '3', 'Sun, 06 Nov 1994', '1994-11-06T08:49:37Z'])
    assert.equal(dateMs(text), undefined);
});

describe('waits', () => {
  const waits = (random: number, ...askedMs: (number | undefined)[]) => {
    const next = backoff({ maxRetries: askedMs.length - 1 }, () => random);
    return askedMs.map((ms) => next(ms));
  };

  test('grow, and end', () =>
    assert.deepEqual(waits(0.5, ...Array<undefined>(7).fill(undefined)), [
      250,
      500,
      1000,
      2000,
      4000,
      4000,
      undefined,
    ]));

  test('are as long as the server asks, up to the cap', () =>
    assert.deepEqual(waits(0.5, 100, 60_000, 60_001, undefined), [250, 60_000, undefined, undefined]));

  test('base and cap are the policy’s', () => {
    const next = backoff({ maxRetries: 4, baseMs: 1000, capMs: 3000 }, () => 0.5);
    assert.deepEqual([next(undefined), next(undefined), next(undefined)], [500, 1000, 1500]);
  });
});

describe('a policy', () => {
  test('has defaults for what is not given', () => {
    assert.deepEqual(resolveRetry({ baseMs: 1 }), {
      maxRetries: 2,
      baseMs: 1,
      capMs: 8000,
      retryAfterCapMs: 60_000,
    });
    // As callers in plain JavaScript do.
    assert.equal(resolveRetry({ maxRetries: undefined } as object).maxRetries, 2);
  });

  for (const [name, value, message] of [
    ['max_retries', 3, /resilience\.retry\.max_retries is unknown/],
    ['maxRetries', '3', /resilience\.retry\.maxRetries must be a number/],
    ['baseMs', Number.NaN, /resilience\.retry\.baseMs must be a number/],
    ['toString', 3, /resilience\.retry\.toString/],
  ] as const)
    test(`refuses ${name}: ${typeof value}`, () =>
      assert.throws(
        () => resolveRetry({ [name]: value }),
        (error) => error instanceof ConfigurationError && message.test(error.message),
      ));
});
