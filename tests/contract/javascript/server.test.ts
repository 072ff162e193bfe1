/** The fetch of the cases, held against that of Node.js. */

import assert from 'node:assert/strict';
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { VirtualClock } from './clock.js';
import type { ScriptedAnswer } from './files.js';
import { Server } from './server.js';

type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** What is seen of an answer, or of why there is none, from outside. */
async function seen(fetch: Fetch, url: string, init?: RequestInit): Promise<unknown> {
  try {
    const response = await fetch(url, init);
    const { status, headers } = response;
    return { status, type: headers.get('content-type'), text: await response.text() };
  } catch (error) {
    assert.ok(error instanceof Error);
    const { name, message, cause } = error;
    return { name, message, code: (cause as { code?: string } | undefined)?.code };
  }
}

function scripted(...script: ScriptedAnswer[]): Fetch {
  const clock = new VirtualClock();
  const server = new Server(script, clock, 5000);
  return (url, init) => clock.run(server.fetch(url, init));
}

/** A server on this machine for as long as the work takes. */
async function serving(listener: RequestListener, work: (url: string) => Promise<void>): Promise<void> {
  const server: HttpServer = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('an answer is like one of Node.js', async () => {
  const listener: RequestListener = (_, response) => {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end('{"a":1}');
  };
  await serving(listener, async (url) => {
    assert.deepEqual(await seen(scripted({ status: 404, json: { a: 1 } }), url), await seen(fetch, url));
  });
});

test('nobody there is told as Node.js tells it', async () => {
  let free = '';
  await serving(
    () => {},
    async (url) => {
      free = url;
    },
  );
  assert.deepEqual(await seen(scripted({ failure: 'connect' }), free), await seen(fetch, free));
});

test('a connection that is lost is told as Node.js tells it', async () => {
  const listener: RequestListener = (request) => void request.socket.destroy();
  await serving(listener, async (url) => {
    assert.deepEqual(await seen(scripted({ failure: 'lost' }), url), await seen(fetch, url));
  });
});

test('a body that breaks off is told as Node.js tells it', async () => {
  const listener: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('half', () => response.socket?.destroy());
  };
  await serving(listener, async (url) => {
    assert.deepEqual(await seen(scripted({ text: 'half', break: true }), url), await seen(fetch, url));
  });
});

test('who leaves is told their own reason', async () => {
  const leave = AbortSignal.abort(new Error('gone'));
  const listener: RequestListener = () => {};
  await serving(listener, async (url) => {
    const init = { signal: leave };
    assert.deepEqual(await seen(scripted({ failure: 'hang' }), url, init), await seen(fetch, url, init));
  });
});

test('what says where a body ends is as Node.js sends it', async () => {
  const framing = ['content-length', 'transfer-encoding', 'content-type'] as const;
  const bodies: readonly RequestInit[] = [
    {},
    { method: 'DELETE' },
    { method: 'POST' },
    { method: 'POST', body: new Uint8Array([1, 2, 3]) },
    { method: 'POST', body: new Blob(['abc'], { type: 'text/plain' }) },
  ];
  let found: unknown;
  const listener: RequestListener = (request, response) => {
    found = framing.map((name) => request.headers[name] ?? null);
    request.resume().on('end', () => response.end());
  };
  const stream = () => ({ method: 'POST', body: new Blob(['abc']).stream(), duplex: 'half' }) as RequestInit;
  await serving(listener, async (url) => {
    for (const init of [...bodies.map((body) => () => body), stream]) {
      const clock = new VirtualClock();
      const server = new Server([{}], clock, 5000);
      await clock.run(server.fetch(url, init()));
      await fetch(url, init());
      const { headers } = server.arrivals[0] ?? assert.fail('nothing came');
      assert.deepEqual(
        framing.map((name) => headers.get(name)),
        found,
      );
    }
  });
});

test('a request that nobody expected is remembered', async () => {
  const clock = new VirtualClock();
  const server = new Server({ 'https://a.test': [{ repeat: 2 }] }, clock, 5000);
  await clock.run(server.fetch('https://a.test/1'));
  await clock.run(server.fetch('https://a.test/2'));
  await assert.rejects(clock.run(server.fetch('https://a.test/3')));
  await assert.rejects(clock.run(server.fetch('https://b.test/')));
  assert.deepEqual(server.unexpected, ['GET https://a.test/3 at 0 s', 'GET https://b.test/ at 0 s']);
});

test('pieces come one by one, each after its pause', async () => {
  const clock = new VirtualClock();
  const server = new Server(
    [{ chunks: [{ text: 'ab' }, { after_s: 2, text: 'cd' }], chunk_bytes: 1 }],
    clock,
    5000,
  );
  const times: [string, number][] = [];
  const read = async () => {
    const { body } = await server.fetch('https://a.test/');
    for await (const piece of body ?? []) times.push([new TextDecoder().decode(piece), clock.now()]);
  };
  await clock.run(read());
  assert.deepEqual(times, [
    ['a', 0],
    ['b', 0],
    ['c', 2000],
    ['d', 2000],
  ]);
});
