/** Why fetch brought no answer, by what it was rejected with. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { failureOf } from '../../src/runtime/transport/failures.js';

test('codes tell what happened, however deep they are', async () => {
  const cases = [
    [{ code: 'UND_ERR_CONNECT_TIMEOUT' }, 'connect_timeout'],
    [{ code: 'ETIMEDOUT', syscall: 'connect' }, 'connect_timeout'],
    [{ code: 'ETIMEDOUT', syscall: 'read' }, 'lost'],
    [{ code: 'ECONNRESET' }, 'lost'],
    [{ code: 'EAI_AGAIN' }, 'connect'],
    [{ code: 'EMFILE' }, 'pool_timeout'],
    [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'connect'],
    [{ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }, 'connect'],
    [{ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }, 'lost'],
    [{ code: 'UND_ERR_HEADERS_TIMEOUT' }, 'timeout'],
    [{ code: 'ConnectionRefused' }, 'connect'],
    [new AggregateError([new Error('a'), Object.assign(new Error('b'), { code: 'ENETUNREACH' })]), 'connect'],
    [new TypeError('error sending request: client error (Connect): tcp connect error'), 'connect'],
    [new TypeError('Failed to fetch'), 'lost'],
  ] as const;
  for (const [cause, kind] of cases) {
    const failure = failureOf(new TypeError('fetch failed', { cause }), '/');
    assert.equal(failure.kind, kind, JSON.stringify(cause));
  }
});

test('the cause is the error that says why', async () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
  for (const [cause, said] of [
    [refused, /connect ECONNREFUSED 127/],
    [new AggregateError([refused, new Error('b')]), /connect ECONNREFUSED 127/],
    [{ code: 'ECONNRESET' }, /ECONNRESET/],
    [undefined, /fetch failed/],
  ] as const) {
    const failure = failureOf(new TypeError('fetch failed', { cause }), '/');
    assert.match(String(failure.cause), said);
  }
});
