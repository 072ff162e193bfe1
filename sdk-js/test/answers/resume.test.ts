/** Streams whose connection breaks or falls silent: gone on with where they stopped, or given up. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventStream } from '../../src/runtime/answers/streams.js';
import type { CallOptions, Operation } from '../../src/runtime/call.js';
import { bytesBody } from '../../src/runtime/encoding/bytes.js';
import {
  CallTimeoutError,
  ConnectionLostError,
  DecodingError,
  PermissionDeniedError,
} from '../../src/runtime/errors.js';
import type { ClientOptions } from '../../src/runtime/settings.js';
import { seeded, settled } from '../clock.js';
import { json, Library } from '../library.js';
import { all, arriving, BROKEN, drawing, EVENTS, event, events, LINES, Pieces, utf8 } from './arriving.js';

/** Everything that a library's stream holds. */
function items(
  library: Library,
  options: CallOptions = {},
  client: ClientOptions = {},
  operation: Operation<EventStream<unknown>> = EVENTS,
  args = {},
): Promise<unknown[]> {
  const read = async () => all(await library.client(client).call(operation, args, options));
  return library.clock.finish(read());
}

function asked({ arrivals }: Library, name = 'last-event-id'): (string | null)[] {
  return arrivals.map(({ headers }) => headers.get(name));
}

/** Waits between connections alone: nothing here takes exactly as long. */
function pauses({ clock }: Library): number[] {
  return clock.waited.filter((delayMs) => delayMs < 60_000);
}

describe('going on', () => {
  test('loses nothing, and gives nothing twice', async () => {
    const library = new Library(events(event(1), event(2), BROKEN), events(event(3), event(4)));
    assert.deepEqual(await items(library), [1, 2, 3, 4]);
    assert.deepEqual(asked(library), [null, '2']);
    assert.deepEqual(asked(library, 'accept'), ['text/event-stream', 'text/event-stream']);
  });

  test('drops half an event, whose id does not count', async () => {
    const library = new Library(events(event(1), 'id: 2\ndata: 2', BROKEN), events(event(2)));
    assert.deepEqual(await items(library), [1, 2]);
    assert.deepEqual(asked(library), [null, '1']);
  });

  test('counts an id without data', async () => {
    const library = new Library(events(event(1), 'id: 9\n\n', BROKEN), events(event(10)));
    assert.deepEqual(await items(library), [1, 10]);
    assert.deepEqual(asked(library), [null, '9']);
  });

  test('keeps an id over a connection without ids', async () => {
    const library = new Library(
      events(event(1), BROKEN),
      events('data: 2\n\n', BROKEN),
      events('\ufeffdata: 3\n\n'),
    );
    assert.deepEqual(await items(library), [1, 2, 3]);
    assert.deepEqual(asked(library), [null, '1', '1']);
  });

  test("replaces the caller's own Last-Event-ID", async () => {
    const library = new Library(events(event(6), BROKEN), events(event(7)));
    assert.deepEqual(await items(library, { extraHeaders: { 'Last-Event-ID': '5' } }), [6, 7]);
    assert.deepEqual(asked(library), ['5', '6']);
  });

  test('ends where the server says 204', async () => {
    const library = new Library(events(event(1), BROKEN), new Response(null, { status: 204 }));
    assert.deepEqual(await items(library), [1]);
  });

  test('is not for what ends in good order', async () => {
    const library = new Library(events(event(1)));
    assert.deepEqual(await items(library), [1]);
    assert.equal(library.arrivals.length, 1);
  });

  test('retries like any call', async () => {
    const library = new Library(
      events(event(1), BROKEN),
      new Response(null, { status: 503 }),
      events(event(2)),
    );
    assert.deepEqual(await items(library), [1, 2]);
    assert.equal(library.arrivals.length, 3);
  });

  test('ends with a refusal', async () => {
    const library = new Library(events(event(1), BROKEN), new Response(null, { status: 403 }));
    await assert.rejects(items(library), PermissionDeniedError);
  });

  test('takes nothing else for the stream', async () => {
    const library = new Library(events(event(1), BROKEN), json([]));
    await assert.rejects(items(library), (error) => {
      assert.ok(error instanceof DecodingError);
      assert.match(error.message, /no such stream/);
      return true;
    });
  });

  test('closes what has broken, and what came after it', async () => {
    const bodies = [new Pieces(event(1), BROKEN), new Pieces(event(2))];
    const [first, second] = bodies.map((body) => async () => {
      return new Response(body.stream(), { headers: { 'content-type': 'text/event-stream' } });
    });
    const library = new Library(first ?? BROKEN, second ?? BROKEN);
    assert.deepEqual(await items(library), [1, 2]);
    assert.deepEqual(
      bodies.map(({ closed }) => closed),
      [true, true],
    );
    assert.equal(library.clock.pending, 0);
  });
});

describe('the wait before going on', () => {
  test('is a second with jitter, unless the server says', async () => {
    const library = new Library(events(event(1), BROKEN), events(event(2)));
    await items(library);
    assert.deepEqual(pauses(library), [1000]); // chance is always a half here
  });

  test('is what the server says', async () => {
    const library = new Library(
      events(event(1, 'retry: 4000\n'), BROKEN),
      events(event(2), BROKEN),
      events(event(3)),
    );
    assert.deepEqual(await items(library), [1, 2, 3]);
    assert.deepEqual(pauses(library), [4000, 4000]);
  });

  test('is never longer than anybody waits', async () => {
    const library = new Library(events(event(1, 'retry: 61000\n'), BROKEN));
    await assert.rejects(items(library), ConnectionLostError);
    assert.equal(library.arrivals.length, 1);
  });

  test('grows while nothing comes', async () => {
    const library = new Library(events(event(1), BROKEN), events(BROKEN));
    await assert.rejects(items(library, { maxRetries: 3 }), ConnectionLostError);
    assert.equal(library.arrivals.length, 4);
    assert.deepEqual(pauses(library), [1000, 2000, 4000]);
  });

  test('begins anew with each event', async () => {
    const broken = [1, 2, 3, 4, 5].map((number) => events(event(number), BROKEN));
    const library = new Library(...broken, events(event(6)));
    assert.deepEqual(await items(library, { maxRetries: 1 }), [1, 2, 3, 4, 5, 6]);
  });

  test('costs a token of the budget', async () => {
    const library = new Library(events(event(1), BROKEN));
    const budget = { perCall: 0, perSecond: 0, reserve: 3 };
    await assert.rejects(items(library, {}, { resilience: { budget } }), ConnectionLostError);
    assert.equal(library.arrivals.length, 4);
  });

  test('ends when the stream is closed, or its caller leaves', async () => {
    for (const leaves of [true, false]) {
      const library = new Library(events(event(1), BROKEN), events(event(2)));
      const leave = new AbortController();
      const stream = await library.client().call(EVENTS, {}, { signal: leave.signal });
      assert.equal((await stream.next()).value, 1);
      const waiting = stream.next();
      waiting.catch(() => {});
      await settled();
      if (leaves) leave.abort(new RangeError('enough'));
      else await stream.close();
      await assert.rejects(waiting, leaves ? RangeError : /closed while it was being read/);
      assert.equal(library.arrivals.length, 1);
      assert.equal(library.clock.pending, 0);
    }
  });

  test('the connection that goes on heeds the signal as well', async () => {
    const silent = events(event(2), () => new Promise(() => {}));
    const library = new Library(events(event(1), BROKEN), silent);
    const leave = new AbortController();
    const stream = await library.client().call(EVENTS, {}, { signal: leave.signal });
    await stream.next();
    assert.equal((await library.clock.finish(stream.next())).value, 2);
    const waiting = stream.next();
    leave.abort(new RangeError('enough'));
    await assert.rejects(waiting, RangeError);
  });
});

describe('not going on', () => {
  const once = async (library: Library, ...more: [CallOptions?, ClientOptions?, Operation?, object?]) => {
    await assert.rejects(items(library, ...(more as [])), ConnectionLostError);
    assert.equal(library.arrivals.length, 1);
  };

  test('with what must not be repeated', async () => {
    for (const retry of ['never', 'keyed'] as const)
      await once(new Library(events(event(1), BROKEN)), {}, {}, { ...EVENTS, method: 'POST', retry });
  });

  test('with a stream without ids', () => once(new Library(events('data: 1\n\n', BROKEN))));

  test('where the caller does not want it', async () => {
    await once(new Library(events(event(1), BROKEN)), { resume: false });
    await once(new Library(events(event(1), BROKEN)), { maxRetries: 0 });
  });

  test('with a body that cannot be sent again', async () => {
    async function* chunks() {
      yield utf8('once');
    }
    const posted: Operation<EventStream<unknown>> = {
      ...EVENTS,
      method: 'PUT',
      retry: 'idempotent',
      bodies: [bytesBody('content', 'application/octet-stream')],
    };
    const library = new Library(events(event(1), BROKEN));
    const fetch = async (url: string, init: RequestInit) => {
      await new Response(init.body ?? null).arrayBuffer();
      return library.fetch(url, init);
    };
    await once(library, {}, { fetch }, posted, { content: chunks() });
  });

  test('with lines, which have no place to go on from', () =>
    once(new Library(arriving('application/jsonl', ['{"id": 1}\n', BROKEN])), {}, {}, LINES));
});

describe('silence', () => {
  const pass = (library: Library, ms: number) => () => library.clock.pass(ms);

  test('comments are no life', async () => {
    const replies: (() => Promise<Response>)[] = [];
    const library = new Library(() => replies[0]?.() ?? Promise.reject(BROKEN));
    const still = Array(9)
      .fill([pass(library, 4000), ': still here\n\n'])
      .flat();
    replies.push(events('data: 1\n\n', ...still));
    const began = library.clock.now();
    await assert.rejects(items(library, { eventIdleMs: 10_000 }), (error) => {
      assert.ok(error instanceof CallTimeoutError);
      assert.match(error.message, /nothing arrived for 10 s; give a larger eventIdleMs/);
      return true;
    });
    assert.ok(library.clock.now() - began <= 12_000);
  });

  test('events are', async () => {
    const replies: (() => Promise<Response>)[] = [];
    const library = new Library(() => replies[0]?.() ?? Promise.reject(BROKEN));
    const numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    replies.push(events(...numbers.flatMap((number) => [pass(library, 9000), event(number)])));
    assert.deepEqual(await items(library, { eventIdleMs: 10_000 }), numbers);
  });

  test('is a break that is gone on after, and closes what is silent', async () => {
    const silent = new Pieces(event(1), () => new Promise(() => {}));
    const first = async () =>
      new Response(silent.stream(), { headers: { 'content-type': 'text/event-stream' } });
    const second = () => {
      assert.ok(silent.closed);
      return events(event(2))();
    };
    const library = new Library(first, second);
    assert.deepEqual(await items(library, { eventIdleMs: 10_000 }), [1, 2]);
    assert.deepEqual(asked(library), [null, '1']);
    assert.deepEqual(pauses(library), [10_000, 1000]);
  });

  test('is not what the caller does with an item', async () => {
    const library = new Library(events(event(1) + event(2), event(3)));
    const stream = await library.client().call(EVENTS, {}, { eventIdleMs: 10_000 });
    const numbers = [(await stream.next()).value];
    library.clock.pass(3_600_000);
    assert.deepEqual([...numbers, ...(await all(stream))], [1, 2, 3]);
  });

  test('is as long as the call may take, where nothing else is said', async () => {
    const library = new Library(events('data: 1\n\n', () => new Promise(() => {})));
    await assert.rejects(items(library, { timeoutMs: 15_000 }), (error) => {
      assert.ok(error instanceof CallTimeoutError);
      assert.match(error.message, /15 s/);
      return true;
    });
  });
});

test('wherever it breaks, the items are the same', async () => {
  const draw = drawing(seeded(4));
  for (let round = 0; round < 60; round++) {
    const texts = [
      draw.of(['om', 'धातु']),
      ...draw.list(11, () => draw.of(['', 'a\r\nb', '😀', 'ॐ', '\u2028'])),
    ];
    const chunkBytes = 1 + draw.below(40);
    const breaks = draw.list(8, () => 1 + draw.below(60));
    const library = new Library(async () => {
      const after = Number(library.arrivals.at(-1)?.headers.get('last-event-id') ?? -1) + 1;
      const body = utf8(
        texts
          .map((text, number) => `id: ${number}\ndata: ${JSON.stringify(text)}\r\n\r\n`)
          .slice(after)
          .join(''),
      );
      const end = (after && breaks.shift()) || body.length;
      const pieces: (Uint8Array | Error)[] = [];
      for (let at = 0; at < Math.min(end, body.length); at += chunkBytes)
        pieces.push(body.subarray(at, Math.min(at + chunkBytes, end)));
      if (end < body.length) pieces.push(BROKEN);
      return events(...pieces)();
    });
    const budget = null;
    assert.deepEqual(await items(library, { maxRetries: 9 }, { resilience: { budget } }), texts);
  }
});
