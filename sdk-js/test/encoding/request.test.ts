/** What a call puts on the wire, body apart. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CallOptions, ResponseSpec, SchemeSpec } from '../../src/runtime/call.js';
import { bytesBody } from '../../src/runtime/encoding/bytes.js';
import { jsonBody } from '../../src/runtime/encoding/json.js';
import { multipartBody } from '../../src/runtime/encoding/multipart.js';
import { placed } from '../../src/runtime/encoding/placed.js';
import { styled } from '../../src/runtime/encoding/styles.js';
import { textBody } from '../../src/runtime/encoding/text.js';
import { ask, headersOf, operation, text } from './asking.js';

const WRITE = operation({ method: 'POST', bodies: [jsonBody(['text'])] });
const NAMED = operation({ path: '/a/{id}', parameters: placed(['{id}']) });

function refused(message: RegExp) {
  return { name: 'ArgumentError', message };
}

test('everything is where the description says', () => {
  const request = ask(
    operation({
      path: '/a/{id}/b',
      parameters: placed([
        '{id}',
        { argument: 'q', in: 'query', name: 'Q' },
        'leftOut',
        { argument: 'ids', in: 'query', explode: false, write: styled },
        { argument: 'trace', in: 'header', name: 'X-Trace' },
        { argument: 'flavour', in: 'cookie' },
        { argument: 'crumbs', in: 'cookie' },
      ]),
    }),
    { id: 'x/y ś', q: [1, 2], leftOut: undefined, ids: [3, 4], trace: 't', flavour: 'a;b', crumbs: [1, 2] },
  );
  assert.equal(request.method, 'GET');
  assert.equal(request.target, '/a/x%2Fy%20%C5%9B/b?Q=1&Q=2&ids=3,4');
  assert.equal(request.body, undefined);
  assert.deepEqual(request.headers, [
    ['accept', '*/*'],
    ['user-agent', 'sample-client/1.2.3'],
    ['x-trace', 't'],
    ['cookie', 'flavour=a%3Bb; crumbs=1; crumbs=2'],
  ]);
});

describe('the path', () => {
  for (const id of ['.', '..'])
    test(`does not climb: ${id}`, () => {
      assert.throws(() => ask(NAMED, { id }), refused(/must not be '\.' or '\.\.'/));
      assert.throws(() => ask({ ...NAMED, path: '/a/{id}?beta=true' }, { id }), refused(/must not be/));
    });

  test('does not climb by dots that fetch would decode', () => {
    const parameters = placed([{ argument: 'id', in: 'path', style: 'label', explode: true, write: styled }]);
    assert.throws(() => ask({ ...NAMED, parameters }, { id: ['.'] }), refused(/must not be/));
  });

  for (const id of ['', [], {}, ['']])
    test(`does not lose a segment: ${JSON.stringify(id)}`, () => {
      assert.throws(() => ask(NAMED, { id }), refused(/id must not be empty/));
      const parameters = placed([{ argument: 'id', in: 'path', style: 'simple', write: styled }]);
      assert.throws(() => ask({ ...NAMED, parameters }, { id }), refused(/id must not be empty/));
    });

  test('names the parameter that is missing', () => {
    assert.throws(() => ask(NAMED), refused(/samples\.ask: the path parameter id is missing/));
  });

  test('takes a value as it is, whatever it looks like', () => {
    assert.equal(ask(NAMED, { id: "$&{id}$'" }).target, '/a/%24%26%7Bid%7D%24%27');
  });

  test('may hold a parameter twice', () => {
    assert.equal(ask({ ...NAMED, path: '/{id}/{id}' }, { id: 'a' }).target, '/a/a');
  });

  test('may hold a query of its own', () => {
    const path = '/a?beta=true';
    assert.equal(
      ask(operation({ path }), {}, { options: { extraQuery: { a: 'b c' } } }).target,
      `${path}&a=b%20c`,
    );
  });
});

test('what the caller adds to the query comes after the parameters', () => {
  const options = { extraQuery: { a: 'b c' } };
  const asked = ask(operation({ parameters: placed(['q']) }), { q: 1 }, { options });
  assert.equal(asked.target, '/samples?q=1&a=b%20c');
});

describe('what is not there', () => {
  test('is not found among what objects inherit', () => {
    const parameters = placed(['constructor']);
    assert.equal(ask(operation({ parameters })).target, '/samples');
    assert.equal(ask(operation({ parameters }), { constructor: 'x' }).target, '/samples?constructor=x');
  });

  test('is refused: an argument that the operation does not have', () => {
    assert.throws(() => ask(WRITE, { txet: 'a' }), refused(/^samples\.ask: txet is no parameter$/));
    assert.throws(
      () => ask(WRITE, { text: 'a', timeoutMs: 5 }),
      refused(/timeoutMs is an option: pass it in the object after the parameters/),
    );
    ask(WRITE, { text: 'a', txet: undefined });
  });

  test('is refused: an option that no call has', () => {
    const options: object = { timeoutMS: 5 };
    assert.throws(() => ask(WRITE, { text: 'a' }, { options }), refused(/timeoutMS is no option/));
    const swapped: object = { text: 'a' };
    assert.throws(
      () => ask(WRITE, {}, { options: swapped }),
      refused(/text is a parameter: pass it in the object before the options/),
    );
  });
});

describe('headers', () => {
  function extra(extraHeaders: Record<string, string>): CallOptions {
    return { extraHeaders };
  }

  test('of the caller are added, and go before the SDK’s own', () => {
    const options = extra({ Accept: 'application/special', 'X-More': '1', 'User-Agent': 'mine/1' });
    assert.deepEqual(headersOf(ask(operation(), {}, { options })), {
      accept: 'application/special',
      'user-agent': 'mine/1',
      'x-more': '1',
    });
  });

  test('travel as UTF-8, a byte in each character that fetch is given', () => {
    const { 'x-a': value } = headersOf(ask(operation(), {}, { options: extra({ 'X-A': 'é ś' }) }));
    assert.equal(Buffer.from(value ?? '', 'latin1').toString(), 'é ś');
  });

  test('that end early or say where the body ends are refused', () => {
    for (const [headers, message] of [
      [{ 'X-Trace': 'a\nX-Evil: 1' }, /X-Trace/],
      [{ 'Content-Length': '3' }, /content-length/],
      [{ 'transfer-encoding': 'chunked' }, /transfer-encoding/],
      [{ 'a b': '3' }, /extraHeaders must not hold a b/],
      [{ '': '3' }, /extraHeaders/],
    ] as const)
      assert.throws(() => ask(operation(), {}, { options: extra({ ...headers }) }), refused(message));
  });

  test('name the body’s own type where they chose it', () => {
    const bodies = [textBody('content', 'text/csv'), bytesBody('content', 'application/x-tar')];
    const which = operation({ method: 'POST', bodies });
    const options = extra({ 'Content-Type': 'application/x-tar' });
    assert.equal(headersOf(ask(which, { content: 'a' }))['content-type'], 'text/csv; charset=utf-8');
    assert.equal(headersOf(ask(which, { content: 'a' }, { options }))['content-type'], 'application/x-tar');
  });

  test('keep the boundary of a body in parts', () => {
    const which = operation({ method: 'POST', bodies: [multipartBody(['a'])] });
    const options = extra({ 'Content-Type': 'multipart/form-data' });
    assert.equal(
      headersOf(ask(which, { a: '1' }, { options }))['content-type'],
      'multipart/form-data; boundary=token-1',
    );
  });

  test('hold a key where the operation needs one, or the caller gives one', () => {
    const key = (which = operation(), options: CallOptions = {}) =>
      headersOf(ask(which, {}, { options }))['idempotency-key'];
    assert.equal(key(operation({ retry: 'keyed' })), 'token-1');
    assert.equal(key(operation({ retry: 'keyed' }), { idempotencyKey: 'mine' }), 'mine');
    assert.equal(key(operation({ retry: 'idempotent' })), undefined);
    assert.equal(key(operation(), { idempotencyKey: 'mine' }), 'mine');
    assert.throws(() => key(operation(), { idempotencyKey: 'a\nb' }), refused(/Idempotency-Key/));
  });
});

test('proofs go where their schemes say', () => {
  const scheme = (changes: Partial<SchemeSpec>): SchemeSpec => ({ key: 'k', kind: 'api_key', ...changes });
  const request = ask(
    operation({ parameters: placed(['q']) }),
    { q: 1 },
    {
      proofs: [
        [scheme({ kind: 'bearer' }), 'Bearer t'],
        [scheme({ in: 'header', parameter: 'X-API-Key' }), 'k'],
        [scheme({ in: 'query', parameter: 'api key' }), 'k&'],
        [scheme({ in: 'cookie', parameter: 'session' }), 's;'],
      ],
    },
  );
  assert.equal(request.target, '/samples?q=1&api%20key=k%26');
  const { authorization, 'x-api-key': key, cookie } = headersOf(request);
  assert.deepEqual([authorization, key, cookie], ['Bearer t', 'k', 'session=s%3B']);
});

test('a cookie of its own style is not encoded, and must not need it', () => {
  const parameters = placed([{ argument: 'c', in: 'cookie', style: 'cookie', write: styled }]);
  assert.equal(headersOf(ask(operation({ parameters }), { c: 'a%' })).cookie, 'c=a%');
  for (const c of ['a; b=c', 'a b', 'a"', 'a\\', 'a\n'])
    assert.throws(
      () => ask(operation({ parameters }), { c }),
      refused(/the (cookie|value of header) c holds/),
    );
});

describe('the answer that is asked for', () => {
  const answer = (kind: ResponseSpec['kind'], mediaType: string, status = '200'): ResponseSpec => ({
    status,
    mediaType,
    kind,
    open: kind === 'json' ? undefined : () => undefined,
  });
  const both = operation({
    method: 'POST',
    bodies: [jsonBody(['text']), bytesBody('content')],
    responses: [
      answer('binary', 'application/octet-stream'),
      answer('json', 'application/json'),
      answer('sse', 'text/event-stream'),
      answer('json', 'application/problem+json', 'default'),
    ],
  });

  test('is like what is sent', () => {
    assert.equal(headersOf(ask(both, { text: 'a' })).accept, 'application/json');
    assert.equal(headersOf(ask(both, { content: 'a' })).accept, 'application/octet-stream');
  });

  test('is a stream where one is wanted, and then open-ended', () => {
    const request = ask(both, { text: 'a' }, { stream: true });
    assert.equal(headersOf(request).accept, 'text/event-stream');
    assert.equal(request.openEnded, true);
    assert.equal(ask(both, { text: 'a' }).openEnded, false);
  });

  test('is any of those that are alike', () => {
    const accept = (...responses: ResponseSpec[]) => headersOf(ask(operation({ responses }))).accept;
    assert.equal(
      accept(answer('binary', 'image/svg+xml'), answer('binary', 'image/png')),
      'image/svg+xml, image/png',
    );
    assert.equal(accept(answer('json', '*/*')), 'application/json');
    assert.equal(accept(answer('sse', 'text/event-stream')), 'text/event-stream');
    assert.equal(accept(answer('json', 'application/problem+json', '4XX')), 'application/problem+json');
    assert.equal(accept({ status: '204', mediaType: '', kind: 'empty' }), '*/*');
  });
});

test('progress is told of the body that is sent', async () => {
  const told: number[] = [];
  const options = { onProgress: ({ doneBytes }: { doneBytes: number }) => told.push(doneBytes) };
  const request = ask(WRITE, { text: 'a' }, { options });
  assert.equal(request.body?.whole, undefined);
  assert.equal(await text(request), '{"text":"a"}');
  assert.deepEqual(told, [0, 12]);
});
