/** Names and ids of events, errors among the items of a stream, and how it is closed. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  array,
  object,
  oneOf,
  record,
  type Shape,
  string,
  tagged,
} from '../../src/runtime/answers/shapes.js';
import { type EventStream, eventsAnswer, linesAnswer } from '../../src/runtime/answers/streams.js';
import { summary } from '../../src/runtime/errors/refusals.js';
import { APIStatusError, DecodingError, StreamError } from '../../src/runtime/errors.js';
import { Library } from '../library.js';
import { all, arriving, EVENTS, events, operation, Pieces } from './arriving.js';

const DOCUMENT = object({ id: string }, { title: string });
const CAT = object({}, { name: string });

function called(
  kind: 'sse' | 'jsonl',
  shape: Shape | undefined,
  body: string,
  headers: Record<string, string> = {},
): Promise<EventStream<unknown>> {
  const answer = kind === 'sse' ? eventsAnswer('200', shape) : linesAnswer('200', shape);
  const library = new Library(arriving(answer.mediaType, [body], { headers }));
  return library.client().call(operation<EventStream<unknown>>(answer), {});
}

describe('events', () => {
  test('come with name, id and retry', async () => {
    const body = 'event: found\nid: 7\nretry: 250\ndata: {"id": "a"}\n\ndata: {"id": "b"}\n\n';
    const stream = await called('sse', DOCUMENT, body);
    assert.deepEqual(await all(stream.events()), [
      { data: { id: 'a' }, event: 'found', id: '7', retryMs: 250 },
      { data: { id: 'b' }, event: 'message', id: '7', retryMs: 250 },
    ]);
    assert.deepEqual([stream.lastEventId, stream.retryMs], ['7', 250]);
  });

  test('of JSON Lines have neither', async () => {
    const stream = await called('jsonl', undefined, '1\n2');
    assert.deepEqual(
      (await all(stream.events())).map(({ data, event, id }) => [data, event, id]),
      [
        [1, 'message', ''],
        [2, 'message', ''],
      ],
    );
  });

  test('the last id is that of what was read, not of what arrived', async () => {
    const stream = await called('sse', undefined, 'id: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\n\n');
    assert.equal(stream.lastEventId, '');
    assert.deepEqual([(await stream.next()).value, stream.lastEventId], [1, '1']);
    assert.deepEqual([(await stream.next()).value, stream.lastEventId], [2, '2']);
    assert.deepEqual([await all(stream), stream.lastEventId], [[], '3']);
  });

  test('go on where iteration stopped', async () => {
    const stream = await called('sse', undefined, 'data: 1\n\ndata: 2\n\n');
    assert.equal((await stream.next()).value, 1);
    assert.deepEqual(
      (await all(stream.events())).map(({ data }) => data),
      [2],
    );
  });

  test('the head of the answer is there, and prints no header', async () => {
    const stream = await called('sse', undefined, '', { 'x-request-id': 'r-1' });
    assert.deepEqual(
      { ...stream },
      { status: 200, requestId: 'r-1', attempts: 1, mediaType: 'text/event-stream' },
    );
    assert.equal(stream.headers.get('x-request-id'), 'r-1');
  });
});

describe('errors', () => {
  test('an event called error is one, whatever the items are', async () => {
    const problem = { type: 'https://errors.test/busy', title: 'Busy', status: 503, detail: 'Too much.' };
    const body = `event: error\ndata: ${JSON.stringify(problem)}\n\ndata: 1\n\n`;
    for (const shape of [undefined, string, DOCUMENT, record(string)]) {
      const stream = await called('sse', shape, body, { 'x-request-id': 'r-1' });
      await assert.rejects(all(stream), (error) => {
        assert.ok(error instanceof StreamError && error instanceof APIStatusError);
        const said = 'documents.get: 503 Busy: Too much (in the middle of the stream) [request id r-1]';
        assert.deepEqual(
          [error.message, error.status, error.problem.type, error.requestId],
          [said, 503, problem.type, 'r-1'],
        );
        return true;
      });
      assert.deepEqual(await all(stream), []); // the stream ended there
    }
  });

  const told: [object, number, string, string][] = [
    [{ error: { message: 'Overloaded', type: 'overloaded_error' } }, 200, 'overloaded_error: Overloaded', ''],
    [
      { type: 'error', error: { type: 'api_error', message: 'Oops' }, request_id: 'r-9' },
      200,
      'api_error: Oops',
      'r-9',
    ],
    [{ error: 'no such model', code: 404 }, 404, 'Error: no such model', ''],
    [{ code: 'rate_limit', message: 'Slow down.' }, 200, 'rate_limit: Slow down', ''],
    [{ title: 'Gone', status: 410 }, 410, 'Gone', ''],
  ];
  for (const [data, status, said, requestId] of told) {
    test(`where an item should be: ${said}`, async () => {
      for (const kind of ['sse', 'jsonl'] as const) {
        const line = (value: unknown) =>
          kind === 'sse' ? `data: ${JSON.stringify(value)}\n\n` : `${JSON.stringify(value)}\n`;
        const stream = await called(kind, DOCUMENT, line({ id: 'a' }) + line(data));
        assert.deepEqual((await stream.next()).value, { id: 'a' });
        await assert.rejects(stream.next(), (error) => {
          assert.ok(error instanceof StreamError);
          assert.deepEqual(
            [error.status, error.requestId, summary(error.problem)],
            [status, requestId, said],
          );
          return true;
        });
      }
    });
  }

  test('that a lenient shape takes', async () => {
    const data = ['{"error": {"message": "Overloaded"}}', '{"title": "Busy", "status": 503}'];
    const lenient = [undefined, CAT, record((value) => (value === undefined ? '' : undefined))];
    const tags = tagged('type', { word: object({ type: oneOf('word') }) });
    for (const shape of [...lenient, tags])
      for (const one of data)
        await assert.rejects(all(await called('sse', shape, `data: ${one}\n\n`)), StreamError, one);
    await assert.rejects(all(await called('jsonl', record(string), '{"error": "Overloaded"}')), StreamError);
  });

  test('what looks like one and is an item', async () => {
    const items: [Shape | undefined, object][] = [
      [undefined, { id: 3, error: 'not found' }],
      [undefined, { error: null }],
      [undefined, { error: {} }],
      [undefined, { title: 'Ten ways to fail', status: 200 }],
      [DOCUMENT, { id: 'a', error: 'a member that this client does not know' }],
      [DOCUMENT, { id: 'a', title: 'Errors', status: 404 }],
      [object({}, { error: string }), { error: 'what the row says' }],
      [tagged('type', { error: object({ error: string }) }), { type: 'error', error: 'what the row says' }],
    ];
    for (const [shape, item] of items)
      assert.deepEqual(await all(await called('sse', shape, `data: ${JSON.stringify(item)}\n\n`)), [item]);
  });

  test('what is neither an item nor an error is wrong', async () => {
    for (const data of ['oops', '{"idea": 1}', '[]', '{"error": {}}'])
      await assert.rejects(all(await called('sse', DOCUMENT, `data: ${data}\n\n`)), DecodingError, data);
    await assert.rejects(all(await called('jsonl', array(string), '[1]\n')), DecodingError);
  });

  test('in plain words', async () => {
    for (const [data, said] of [
      ['out of memory', 'Error: out of memory'],
      ['', 'Error'],
    ])
      await assert.rejects(
        all(await called('sse', undefined, `event: error\ndata: ${data}\n\n`)),
        (error) => {
          assert.ok(error instanceof StreamError);
          assert.equal(summary(error.problem), said);
          return true;
        },
      );
  });

  test('the message holds no more than the error says', async () => {
    const body = 'event: error\ndata: {"title": "Busy", "api_key": "s3cret"}\n\n';
    await assert.rejects(all(await called('sse', undefined, body)), (error) => {
      assert.ok(!String(error).includes('s3cret'));
      return true;
    });
  });
});

describe('closing', () => {
  /** A stream of one event and then nothing, and its body. */
  async function silent(signal?: AbortSignal) {
    const body = new Pieces('data: 1\n\n', () => new Promise(() => {}));
    const reply = async () =>
      new Response(body.stream(), { headers: { 'content-type': 'text/event-stream' } });
    const stream = await new Library(reply).client().call(EVENTS, {}, signal ? { signal } : {});
    return { body, stream };
  }

  test('leaving the loop frees the connection', async () => {
    const { body, stream } = await silent();
    for await (const item of stream) {
      assert.equal(item, 1);
      break;
    }
    assert.ok(body.closed);
    assert.deepEqual(await stream.next(), { done: true, value: undefined });
  });

  test('so does leaving that of the events', async () => {
    const { body, stream } = await silent();
    for await (const { data } of stream.events()) {
      assert.equal(data, 1);
      break;
    }
    assert.ok(body.closed);
  });

  test('a stream that was never read can be closed, and more than once', async () => {
    const { body, stream } = await silent();
    await stream.close();
    await stream.close();
    assert.ok(body.closed);
    assert.deepEqual(await all(stream), []);
  });

  test('whoever waits for an item is told, lest it look like the end', async () => {
    const { body, stream } = await silent();
    await stream.next();
    const waiting = stream.next();
    await stream.close();
    await assert.rejects(waiting, /closed while it was being read/);
    assert.ok(body.closed);
  });

  test('the signal of the caller ends a wait with its reason', async () => {
    const leave = new AbortController();
    const { body, stream } = await silent(leave.signal);
    await stream.next();
    const waiting = stream.next();
    leave.abort(new RangeError('enough'));
    await assert.rejects(waiting, RangeError);
    assert.ok(body.closed);
  });

  test('the signal that fires while nobody waits is noticed with the next item', async () => {
    const leave = new AbortController();
    const { stream } = await silent(leave.signal);
    await stream.next();
    leave.abort(new RangeError('enough'));
    await assert.rejects(stream.next(), RangeError);
  });

  test('a stream can be disposed of where the runtime knows that', async () => {
    if (!Symbol.asyncDispose) return;
    const { body, stream } = await silent();
    {
      await using used = stream;
      assert.equal((await used.next()).value, 1);
    }
    assert.ok(body.closed);
  });

  test('an item that is too long is refused', async () => {
    const line = 'x'.repeat(2 ** 20);
    const stream = await new Library(events('data: ', ...Array(65).fill(line))).client().call(EVENTS, {});
    await assert.rejects(all(stream), (error) => {
      assert.ok(error instanceof DecodingError);
      assert.match(error.message, /longer than 67108864 characters/);
      return true;
    });
  });
});
