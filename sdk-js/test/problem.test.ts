/** The server's words in an error. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { APIStatusError, ServerError } from '../src/runtime/errors.js';
import { readProblem } from '../src/runtime/problem.js';
import { answer, World } from './flow/world.js';

const bytes = (text: string) => new TextEncoder().encode(text);

async function errorOf(status: number, text: string, headers = {}): Promise<APIStatusError> {
  const world = new World({ maxRetries: 0 });
  const error: unknown = await world
    .run(world.call(), [answer(status, headers, text)])
    .catch((reason: unknown) => reason);
  assert.ok(error instanceof APIStatusError);
  return error;
}

test('every part of a problem is in the error', async () => {
  const text = JSON.stringify({
    type: 'https://docs.test/p',
    title: 'Invalid request',
    detail: '1 part is wrong.',
    errors: [{ location: 'body', name: '/text', detail: 'is required' }, 3],
    hint: [1],
  });
  const error = await errorOf(400, text, { 'x-request-id': 'req-1' });
  assert.equal(
    error.message,
    'documents.get: 400 Invalid request: body /text is required [request id req-1]',
  );
  assert.deepEqual(error.errors, [{ location: 'body', name: '/text', detail: 'is required' }]);
  assert.deepEqual(
    [error.requestId, error.problem.type, error.problem.members.hint],
    ['req-1', 'https://docs.test/p', [1]],
  );
});

describe('an unreadable error is still an error', () => {
  for (const text of ['', '<html>', '[1]', 'null', '{"title": 3, "errors": "x"}', '\u{fffd}'])
    test(JSON.stringify(text), async () => {
      const error = await errorOf(501, text);
      assert.ok(error instanceof ServerError);
      assert.match(error.message, /^documents\.get: 501 Not Implemented/);
    });

  test('bytes that are no text', () =>
    assert.equal(readProblem(400, new Uint8Array([0xff])).detail, '\u{fffd}'));
});

test('without a title the status speaks, and without JSON the first line', () => {
  const { title, detail, type, members } = readProblem(502, bytes('<html>\n<body>secret'));
  assert.deepEqual([title, detail, type, members], ['Bad Gateway', '<html>', 'about:blank', {}]);
  assert.equal(readProblem(499, bytes('')).title, 'Unknown status');
});

test('a long text is shortened', () => {
  const { detail } = readProblem(400, bytes('x'.repeat(2000)));
  assert.deepEqual([detail.length, detail.at(-1)], [500, '…']);
});
