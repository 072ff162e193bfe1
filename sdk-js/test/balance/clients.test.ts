/** Whole clients of several endpoints, over real sockets. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { ConsulEndpoints } from '../../src/runtime/balance/consul.js';
import type { Algorithm } from '../../src/runtime/balance/policy.js';
import { DiscoveryError } from '../../src/runtime/errors.js';
import type { ClientOptions } from '../../src/runtime/settings.js';
import type { Event } from '../../src/runtime/watch/events.js';
import { GET, LibraryAPI } from '../library.js';

/** An instance of an API, which counts who came, and can be killed. */
class Instance {
  seen = 0;
  answer: () => readonly [number, string] = () => [200, '{"id":"a"}'];
  readonly server: Server;

  constructor() {
    this.server = createServer((_, response) => {
      this.seen += 1;
      const [status, body] = this.answer();
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port; // it listens on TCP
  }

  /** As a process that dies: nobody listens any more, and every connection breaks. */
  async kill(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

const running: Instance[] = [];
afterEach(async () => {
  for (const instance of running.splice(0)) await instance.kill();
});

async function run(): Promise<Instance> {
  const instance = new Instance();
  running.push(instance);
  instance.server.listen(0, '127.0.0.1');
  await once(instance.server, 'listening');
  return instance;
}

/** A client whose clock can be put forward, and whose waits are none. */
function connect(options: ClientOptions) {
  const time = { ahead: 0 };
  const surroundings = {
    now: () => performance.now() + time.ahead,
    environment: {},
  };
  const client = new LibraryAPI({ ...options, surroundings });
  return { time, read: () => client.call(GET, { id: 'a' }) };
}

function spread(algorithm: Algorithm): ClientOptions {
  return { resilience: { balance: { algorithm }, retry: { baseMs: 1 } } };
}

describe('an endpoint that is killed', () => {
  for (const algorithm of ['p2c_ewma', 'round_robin', 'weighted', 'least_connections'] as const)
    test(`costs no failed call by ${algorithm}`, async () => {
      const events: Event[] = [];
      const instances = [await run(), await run(), await run()] as const;
      const { time, read } = connect({
        ...spread(algorithm),
        baseURL: instances.map(({ url }) => url),
        onEvent: (event) => events.push(event),
      });
      await Promise.all(Array.from({ length: 30 }, read)); // at once, so that nobody is avoided for being slower
      assert(instances.every(({ seen }) => seen > 0));
      const [, victim] = instances;
      const { url } = victim;
      await victim.kill();
      for (let number = 0; number < 100; number++) {
        assert.deepEqual(await read(), { id: 'a' });
        time.ahead += 50;
      }
      const ejected = events.flatMap((event) => (event.type === 'EndpointEjected' ? [event.endpoint] : []));
      // Latencies are real, and P2C may avoid one for them before it has failed five times.
      assert.deepEqual(ejected, algorithm === 'p2c_ewma' ? ejected.filter((one) => one === url) : [url]);
    });

  test('costs none of many calls at once', async () => {
    const [well, gone] = [await run(), await run()];
    const baseURL = [well.url, gone.url];
    await gone.kill();
    const { read } = connect({ ...spread('round_robin'), baseURL });
    const found = await Promise.all(Array.from({ length: 100 }, read));
    assert.equal(found.length, 100);
    assert.equal(well.seen, 100);
  });
});

test('an endpoint that fails is left alone, and used again when its time is over', async () => {
  const events: string[] = [];
  const [well, patient] = [await run(), await run()];
  patient.answer = () => [503, '{}'];
  const { time, read } = connect({
    ...spread('round_robin'),
    baseURL: [well.url, patient.url],
    onEvent: ({ type }) => type.startsWith('Endpoint') && events.push(type),
  });
  for (let number = 0; number < 60; number++) await read();
  assert.equal(patient.seen, 5);
  patient.answer = well.answer;
  time.ahead += 60_000;
  for (let number = 0; number < 60; number++) await read();
  assert(patient.seen > 15, `${patient.seen}`);
  assert.deepEqual(events, ['EndpointEjected', 'EndpointRestored']);
});

test('weights are kept', async () => {
  const [small, large] = [await run(), await run()];
  const { read } = connect({ ...spread('weighted'), baseURL: { [small.url]: 1, [large.url]: 3 } });
  for (let number = 0; number < 40; number++) await read();
  assert.deepEqual([small.seen, large.seen], [10, 30]);
});

describe('instances that Consul knows', () => {
  const knowing = (...instances: readonly Instance[]) => {
    const listed = instances.map(({ port }) => ({
      Node: { Address: '10.9.9.9' },
      Service: { Address: '127.0.0.1', Port: port },
    }));
    return () => [200, JSON.stringify(listed)] as const;
  };

  test('are followed, and the last list holds', async () => {
    const [consul, first, second, third] = [await run(), await run(), await run(), await run()];
    consul.answer = knowing(first, second);
    const provider = new ConsulEndpoints({ service: 'api', address: consul.url, token: 'secret' });
    const { time, read } = connect({ ...spread('round_robin'), baseURL: provider });
    for (let number = 0; number < 20; number++) await read();
    assert.deepEqual([first.seen, second.seen, third.seen, consul.seen], [10, 10, 0, 1]);

    await first.kill();
    consul.answer = knowing(second, third);
    time.ahead += 11_000;
    for (let number = 0; number < 20; number++) await read();
    assert(third.seen > 0);

    await consul.kill();
    time.ahead += 60_000;
    for (let number = 0; number < 20; number++) await read();
  });

  test('are missed by the first call alone', async () => {
    const [consul, instance] = [await run(), await run()];
    consul.answer = knowing();
    const { read } = connect({ baseURL: new ConsulEndpoints({ service: 'api', address: consul.url }) });
    await assert.rejects(
      read,
      (error: unknown) => error instanceof DiscoveryError && /no instance/.test(error.message),
    );
    consul.answer = knowing(instance);
    assert.deepEqual(await read(), { id: 'a' });
  });
});
