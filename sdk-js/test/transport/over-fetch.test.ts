import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createPeer } from 'node:net';
import { afterEach, test } from 'node:test';

import { bodyOf } from '../../src/runtime/encoding/content.js';
import { ArgumentError } from '../../src/runtime/errors.js';
import { SURROUNDINGS } from '../../src/runtime/surroundings.js';
import { type Fetch, overFetch } from '../../src/runtime/transport/over-fetch.js';
import {
  type Answer,
  type AnswerReader,
  type Failure,
  isAnswer,
  type Outcome,
  type Request,
  type Send,
  TransportFailed,
} from '../../src/runtime/wire.js';
import { Clock } from '../clock.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A peer that says something that is no HTTP, or half of it, and leaves. */
async function peer(says: string): Promise<string> {
  const server = createPeer((socket) => socket.on('error', () => {}).once('data', () => socket.end(says)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function sending(url: string, request: Partial<Request> = {}, more: Partial<Send> = {}): Send {
  return {
    step: 'send',
    request: { method: 'GET', target: '/', headers: [], body: undefined, ...request },
    endpoint: { url },
    headers: [],
    timeLeftMs: 5_000,
    idleMs: 5_000,
    keepOpen: () => false,
    ...more,
  };
}

const overNode = () => overFetch(undefined, SURROUNDINGS);
const sent = (step: Send, signal?: AbortSignal) => overNode().send(step, signal);

function answered(outcome: Outcome): Answer {
  assert.ok(isAnswer(outcome), `${outcome}`);
  return outcome;
}

function failedOf(outcome: Outcome): Failure {
  assert.ok(!isAnswer(outcome), 'it was answered');
  return outcome;
}

function readerOf(outcome: Outcome): AnswerReader {
  const { reader } = answered(outcome);
  assert.ok(reader, 'it is kept open');
  return reader;
}

const textOf = (answer: Answer) => new TextDecoder().decode(answer.content);

async function read(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message) text += chunk;
  return text;
}

/** Answers with what arrived, as JSON. */
const echo = async (request: IncomingMessage, response: ServerResponse) => {
  const { method, url, headers } = request;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ method, url, headers, body: await read(request) }));
};

interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function echoed(step: Partial<Request>, user = ''): Promise<Arrived> {
  const url = await serve(echo);
  return JSON.parse(textOf(answered(await sent(sending(url.replace('//', `//${user}`), step)))));
}

test('a request arrives as it was encoded, and its answer whole', async () => {
  const url = await serve(echo);
  const request = {
    method: 'PUT',
    target: '/a%2Fb/%C4%81?q=a%20b&r=1',
    headers: [['x-tenant', 't']],
  } as const;
  const answer = answered(await sent(sending(url, request, { headers: [['x-attempt', '1']] })));
  const arrived = JSON.parse(textOf(answer));
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  assert.deepEqual([arrived.method, arrived.url], ['PUT', '/a%2Fb/%C4%81?q=a%20b&r=1']);
  assert.deepEqual([arrived.headers['x-tenant'], arrived.headers['x-attempt']], ['t', '1']);
});

test('user and password of the address prove who calls', async () => {
  const { headers } = await echoed({ headers: [['authorization', 'Bearer t']] }, 'm%C4%81:p%40ss@');
  const proof = Buffer.from('mā:p@ss').toString('base64');
  assert.equal(headers.authorization, `Basic ${proof}`);
});

test('bytes, blobs and what comes by and by arrive whole', async () => {
  async function* pieces() {
    yield new Uint8Array([111]);
    yield new Uint8Array([]);
    yield new Uint8Array([109]);
  }
  for (const content of [
    'om',
    new Blob(['o', 'm']),
    pieces(),
    new Response('om').body as ReadableStream<Uint8Array>,
  ]) {
    const { body } = await echoed({ method: 'POST', body: bodyOf(content) });
    assert.equal(body, 'om');
  }
});

test('a body whose size is known says so, although it is read piece by piece', async () => {
  const { whole: _, ...body } = bodyOf('om');
  const { headers } = await echoed({ method: 'POST', body });
  assert.deepEqual([headers['content-length'], headers['transfer-encoding']], ['2', undefined]);
});

test('a redirect is an answer like any other', async () => {
  const url = await serve((_, response) => response.writeHead(307, { location: '/elsewhere' }).end());
  const answer = answered(await sent(sending(url)));
  assert.deepEqual([answer.status, answer.headers.get('location')], [307, '/elsewhere']);
});

test('a redirect that a browser hides says what to do', async () => {
  const hidden = { type: 'opaqueredirect', status: 0, headers: new Headers() } as Response;
  const answer = answered(
    await overFetch(async () => hidden, SURROUNDINGS).send(sending('http://a.test'), undefined),
  );
  assert.equal(answer.status, 302);
  assert.match(textOf(answer), /set baseURL/);
});

test('what the body throws is the own error of the caller', async () => {
  const own = new RangeError('the disk is gone');
  async function* pieces() {
    yield new Uint8Array([111]);
    throw own;
  }
  const url = await serve(echo);
  await assert.rejects(
    sent(sending(url, { method: 'POST', body: bodyOf(pieces()) })),
    (error) => error === own,
  );
});

test('a source is let go of where the server does not wait for it', async () => {
  let letGo = () => {};
  const closed = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  async function* pieces() {
    try {
      for (;;) yield new Uint8Array(65_536);
    } finally {
      letGo();
    }
  }
  const url = await serve((_, response) => response.writeHead(413, { connection: 'close' }).end());
  await sent(sending(url, { method: 'POST', body: bodyOf(pieces()) }));
  await closed;
});

test('nobody there is no connection', async () => {
  const url = await serve(echo);
  for (const close of closing.splice(0)) await close();
  assert.equal(failedOf(await sent(sending(url))).kind, 'connect');
  assert.equal(failedOf(await sent(sending('http://nowhere.invalid'))).kind, 'connect');
  assert.equal(failedOf(await sent(sending(url.replace('http', 'https')))).kind, 'connect');
});

test('an answer that breaks off or makes no sense is a lost connection', async () => {
  for (const says of [
    '',
    'what?\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nom',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nom',
    'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nom',
  ]) {
    assert.equal(failedOf(await sent(sending(await peer(says)))).kind, 'lost', says);
  }
});

test('an answer shorter than it says is a lost connection, whatever fetch makes of it', async () => {
  const short: Fetch = async () => new Response('om', { headers: { 'content-length': '3' } });
  const transport = overFetch(short, SURROUNDINGS);
  assert.equal(failedOf(await transport.send(sending('http://a.test'), undefined)).kind, 'lost');
  assert.ok(isAnswer(await transport.send(sending('http://a.test', { method: 'HEAD' }), undefined)));
});

test('no cause shows a key in the address', async () => {
  const telling: Fetch = (url) => Promise.reject(new TypeError(`error sending request for url (${url})`));
  const step = sending('http://a.test', { target: '/?key=secret' });
  const { cause } = failedOf(await overFetch(telling, SURROUNDINGS).send(step, undefined));
  assert.doesNotMatch(String(cause), /secret/);
});

test('what forms no HTTP is refused, and not shown', async () => {
  for (const headers of [[['x-a', 'secret\r\nx-b: c']], [['x a', 'secret']]] as const) {
    await assert.rejects(
      sent(sending('http://a.test', { headers })),
      (error) => error instanceof ArgumentError && !String(error.stack).includes('secret'),
    );
  }
});

test('an attempt ends with its time, be it before the head or in the middle of the body', async () => {
  for (const begins of [false, true]) {
    const clock = new Clock();
    let asked = () => {};
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const url = await serve((_, response) => {
      if (begins) response.write('o');
      asked();
    });
    const outcome = overFetch(undefined, clock).send(sending(url), undefined);
    await arrived;
    await clock.advance(5_000);
    assert.equal(failedOf(await outcome).kind, 'timeout');
  }
});

test('the signal gives an attempt up with its own reason', async () => {
  for (const begins of [false, true]) {
    const controller = new AbortController();
    const url = await serve((_, response) => {
      if (begins) response.write('o');
      setImmediate(() => controller.abort('enough'));
    });
    await assert.rejects(sent(sending(url), controller.signal), (reason) => reason === 'enough');
  }
});

test('no timer and no listener is left behind', async () => {
  const clock = new Clock();
  const transport = overFetch(async () => new Response('om'), clock);
  await transport.send(sending('http://a.test'), undefined);
  assert.equal(clock.pending, 0);
});

const kept = (idleMs = 5_000): Partial<Send> => ({ keepOpen: () => true, idleMs });

test('what is kept open is read as it arrives', async () => {
  let goOn = () => {};
  const url = await serve((_, response) => {
    response.write('one');
    goOn = () => response.end('two');
  });
  const outcome = await sent(sending(url, {}, kept()));
  assert.equal(answered(outcome).content.length, 0);
  const reader = readerOf(outcome);
  const chunks = reader.chunks();
  assert.equal(new TextDecoder().decode((await chunks.next()).value ?? new Uint8Array()), 'one');
  goOn();
  assert.equal(new TextDecoder().decode((await chunks.next()).value ?? new Uint8Array()), 'two');
  assert.equal((await chunks.next()).done, true);
});

test('status and media type tell what is kept open', async () => {
  const url = await serve((_, response) =>
    response.setHeader('content-type', 'Text/Event-Stream; a=b').end(),
  );
  const seen: unknown[] = [];
  const keepOpen = (...given: unknown[]) => !seen.push(given);
  await sent(sending(url, {}, { keepOpen }));
  assert.deepEqual(seen, [[200, 'Text/Event-Stream; a=b']]);
});

test('closing frees the connection', async () => {
  let left: Promise<unknown> = Promise.resolve();
  const url = await serve((_, response) => {
    response.write('one');
    left = once(response, 'close');
  });
  const reader = readerOf(await sent(sending(url, {}, kept())));
  await reader.chunks().next();
  await reader.close();
  await left;
  assert.equal((await reader.chunks().next()).done, true);
});

test('a kept answer that falls silent runs out of time; what its reader does takes as long as it takes', async () => {
  const clock = new Clock();
  const url = await serve((_, response) => response.write('one'));
  const transport = overFetch(undefined, clock);
  const reader = readerOf(await transport.send(sending(url, {}, kept(1_000)), undefined));
  await clock.advance(10_000); // longer than all limits, between two pieces
  const chunks = reader.chunks();
  await chunks.next();
  await clock.advance(10_000);
  const waiting = assert.rejects(
    chunks.next(),
    (error) => error instanceof TransportFailed && error.failure.kind === 'timeout',
  );
  await clock.advance(1_000);
  await waiting;
});

test('a kept answer that breaks off is lost', async () => {
  const url = await serve((_, response) => {
    response.write('one', () => response.destroy());
  });
  const outcome = await sent(sending(url, {}, kept()));
  await assert.rejects(
    async () => {
      for await (const _ of readerOf(outcome).chunks());
    },
    (error) => error instanceof TransportFailed && error.failure.kind === 'lost',
  );
});

test('the signal ends the reading of a kept answer', async () => {
  const controller = new AbortController();
  const url = await serve((_, response) => response.write('one'));
  const reader = readerOf(await sent(sending(url, {}, kept()), controller.signal));
  const chunks = reader.chunks();
  await chunks.next();
  const waiting = assert.rejects(chunks.next(), (reason) => reason === 'enough');
  controller.abort('enough');
  await waiting;
});

test('a browser is asked for nothing that it cannot send', async (context) => {
  const seen: RequestInit[] = [];
  const recording: Fetch = async (_, init) => {
    seen.push(init);
    return new Response('om');
  };
  async function* pieces() {
    yield* [new Uint8Array([111]), new Uint8Array([109])];
  }
  const found = Object.getOwnPropertyDescriptor(globalThis, 'navigator') ?? { value: undefined };
  context.after(() => Object.defineProperty(globalThis, 'navigator', found));
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Mozilla/5.0' }, configurable: true });
  const headers = [['user-agent', 'dhatu-client/1']] as const;
  const request = { method: 'POST', headers, body: bodyOf(pieces()) };
  await overFetch(recording, SURROUNDINGS).send(sending('http://a.test', request), undefined);
  const [init = {}] = seen;
  assert.equal(new Headers(init.headers).get('user-agent'), null);
  assert.equal(await new Response(init.body ?? '').text(), 'om');
  assert.ok(init.body instanceof Blob);
});
