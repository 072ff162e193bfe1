/** Where the endpoints come from: lists, DNS, Consul. */

import assert from 'node:assert/strict';
import dns from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, mock, test } from 'node:test';
import { inspect } from 'node:util';
import { ConsulEndpoints, type ConsulEndpointsOptions } from '../../src/runtime/balance/consul.js';
import { DnsEndpoints } from '../../src/runtime/balance/dns.js';
import { StaticEndpoints } from '../../src/runtime/balance/static.js';
import { ConfigurationError, DiscoveryError } from '../../src/runtime/errors.js';
import type { EndpointProvider } from '../../src/runtime/flow/endpoints.js';
import { SURROUNDINGS } from '../../src/runtime/surroundings.js';
import { overFetch } from '../../src/runtime/transport/over-fetch.js';
import type { Endpoint } from '../../src/runtime/wire.js';

const TRANSPORT = overFetch(undefined, SURROUNDINGS);

async function ask(provider: EndpointProvider): Promise<readonly Endpoint[]> {
  return provider.endpoints(TRANSPORT);
}

function failing(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof DiscoveryError && message.test(error.message);
}

describe('static endpoints', () => {
  test('are a list or weights', async () => {
    assert.deepEqual(await ask(new StaticEndpoints(['http://a.test/', 'http://b.test'])), [
      { url: 'http://a.test' },
      { url: 'http://b.test' },
    ]);
    assert.deepEqual(await ask(new StaticEndpoints({ 'http://a.test': 2, 'http://b.test': 0.5 })), [
      { url: 'http://a.test', weight: 2 },
      { url: 'http://b.test', weight: 0.5 },
    ]);
    assert.deepEqual(await ask(new StaticEndpoints('http://a.test')), [{ url: 'http://a.test' }]);
  });

  test('are asked for once', () => {
    assert.equal(new StaticEndpoints(['http://a.test']).refreshMs, Number.POSITIVE_INFINITY);
  });

  for (const urls of [[], ['a.test'], { 'http://a.test': 0 }, { 'http://a.test': -1 }])
    test(`are not ${JSON.stringify(urls)}`, () => {
      assert.throws(() => new StaticEndpoints(urls), ConfigurationError);
    });

  test('show no secret', () => {
    assert.doesNotMatch(inspect(new StaticEndpoints(['http://user:secret@a.test']), { depth: 9 }), /secret/);
  });
});

describe('endpoints by DNS', () => {
  const asked: [string, unknown][] = [];
  let addresses: readonly string[] = [];

  before(() => {
    mock.method(dns.promises, 'lookup', async (name: string, options: unknown) => {
      asked.push([name, options]);
      if (!addresses.length) throw new Error(`getaddrinfo ENOTFOUND ${name}`);
      return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    });
  });
  after(() => mock.restoreAll());
  beforeEach(() => {
    asked.length = 0;
  });

  test('every address is one', async () => {
    addresses = ['192.0.2.1', '2001:db8::1', '192.0.2.1'];
    assert.deepEqual(await ask(new DnsEndpoints('http://API.test/base/')), [
      { url: 'http://192.0.2.1/base' },
      { url: 'http://[2001:db8::1]/base' },
    ]);
    assert.deepEqual(asked, [['api.test', { all: true, hints: dns.ADDRCONFIG }]]);
  });

  test('port and user go along', async () => {
    addresses = ['192.0.2.1'];
    assert.deepEqual(await ask(new DnsEndpoints('http://user:pw@api.test:8080')), [
      { url: 'http://user:pw@192.0.2.1:8080' },
    ]);
  });

  for (const url of ['http://127.0.0.1:8080', 'http://[::1]:8080/api'])
    test(`an address is its own endpoint: ${url}`, async () => {
      addresses = [new URL(url).hostname.replace(/[[\]]/g, '')];
      assert.deepEqual(await ask(new DnsEndpoints(url)), [{ url }]);
    });

  test('a name without an address is a clear error', async () => {
    addresses = [];
    await assert.rejects(
      ask(new DnsEndpoints('http://nowhere.test')),
      failing(/nowhere\.test has no address/),
    );
  });

  test('https is refused, since fetch would compare the certificate with the address', () => {
    assert.throws(() => new DnsEndpoints('https://api.test'), /http addresses alone/);
  });

  test('settings that cannot work are refused', () => {
    assert.throws(() => new DnsEndpoints('api.test'), ConfigurationError);
    assert.throws(() => new DnsEndpoints('http://api.test', { refreshMs: 0 }), ConfigurationError);
  });

  test('no secret is shown', () => {
    assert.doesNotMatch(inspect(new DnsEndpoints('http://user:secret@api.test'), { depth: 9 }), /secret/);
  });
});

describe('endpoints by Consul', () => {
  const seen: { readonly url: string; readonly headers: IncomingHttpHeaders }[] = [];
  let status = 200;
  let body = '';
  let address = '';
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', headers: request.headers });
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    seen.length = 0;
    status = 200;
  });

  function know(ports: readonly number[], more: object = {}, own = '127.0.0.1', node = '10.9.9.9'): void {
    body = JSON.stringify(
      ports.map((Port) => ({
        Node: { Node: 'n1', Address: node },
        Service: { ID: `api-${Port}`, Service: 'api', Address: own, Port, ...more },
        Checks: [{ Status: 'passing' }],
      })),
    );
  }

  const found = (more: Partial<ConsulEndpointsOptions> = {}) =>
    ask(new ConsulEndpoints({ service: 'api', address, ...more }));

  test('healthy instances are endpoints with their weights', async () => {
    know([8001, 8002], { Weights: { Passing: 3, Warning: 1 } });
    assert.deepEqual(await found({ address: `${address}/` }), [
      { url: 'http://127.0.0.1:8001', weight: 3 },
      { url: 'http://127.0.0.1:8002', weight: 3 },
    ]);
  });

  test('what is asked for', async () => {
    know([8001]);
    await found({ service: 'a/b', tag: 'v 2', datacenter: 'eu', token: 't1' });
    const [{ url, headers } = { url: '', headers: {} }] = seen;
    const { pathname, searchParams } = new URL(url, address);
    assert.equal(pathname, '/v1/health/service/a%2Fb');
    assert.deepEqual(Object.fromEntries(searchParams), { passing: 'true', tag: 'v 2', dc: 'eu' });
    assert.equal(headers['x-consul-token'], 't1');
  });

  test('nothing is sent that was not given', async () => {
    know([8001]);
    await found();
    assert.equal(seen[0]?.url, '/v1/health/service/api?passing=true');
    assert.equal(seen[0]?.headers['x-consul-token'], undefined);
  });

  test('an instance without an address has that of its node', async () => {
    know([8001], {}, '', '2001:db8::7');
    assert.deepEqual(await found({ scheme: 'https', path: '/api/' }), [
      { url: 'https://[2001:db8::7]:8001/api', weight: 1 },
    ]);
  });

  test('a service without a healthy instance is a clear error', async () => {
    know([]);
    await assert.rejects(found(), failing(/could not say where api is: no instance passes/));
  });

  for (const answer of [
    '<html>',
    '{}',
    '{"a": 1}',
    '7',
    '[1]',
    '[null]',
    '[{"Service": {"Address": "a", "Port": "x"}}]',
    '[{"Service": {"Address": "a b", "Port": 99999}}]',
    '[{"Service": {"Address": "", "Port": 1}}]',
  ])
    test(`an answer that is not Consul's is a clear error: ${answer}`, async () => {
      body = answer;
      await assert.rejects(found(), failing(/not a list of instances/));
    });

  test('a refusal is a clear error that never shows the token', async () => {
    status = 500;
    await assert.rejects(found(), failing(/answered 500$/));
    status = 403;
    const provider = new ConsulEndpoints({ service: 'api', address, token: 'secret' });
    await assert.rejects(ask(provider), (error: unknown) => {
      assert.match(String(error), /answered 403; check the token/);
      assert.doesNotMatch(inspect(error, { depth: 9 }) + inspect(provider, { depth: 9 }), /secret/);
      return true;
    });
  });

  test('a Consul that is not there is a clear error', async () => {
    await assert.rejects(found({ address: 'http://127.0.0.1:9' }), (error: unknown) => {
      assert(error instanceof DiscoveryError && error.cause);
      assert.match(error.message, /could not say where api is: no answer/);
      return true;
    });
  });

  const refused: readonly ConsulEndpointsOptions[] = [
    { service: '' },
    { service: 'api', address: '127.0.0.1:8500' },
    { service: 'api', scheme: 'ftp' as 'http' }, // as JavaScript may say it
    { service: 'api', path: 'api' },
    { service: 'api', token: 'line\n' },
    { service: 'api', refreshMs: -1 },
    { service: 'api', timeoutMs: 0 },
  ];
  for (const given of refused)
    test(`settings that cannot work are refused: ${JSON.stringify(given)}`, () => {
      assert.throws(() => new ConsulEndpoints(given), ConfigurationError);
    });
});
