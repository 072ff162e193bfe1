import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { ConfigurationError, DhatuError } from '../src/runtime/errors.js';
import type { ClientOptions } from '../src/runtime/settings.js';
import { GET, json, Library, LibraryAPI } from './library.js';

const SECRET = 'dhk_1_very-secret_c0ffee';

function fail(): never {
  throw new Error('nothing arrived');
}

const served = () => new Library(json({ id: 'a' }));

/** The first request of a client with such options in such an environment. */
async function request(options: ClientOptions, environment: Record<string, string> = {}, operation = GET) {
  const library = served();
  await library.client({ ...options, surroundings: { environment } }).call(operation, { id: 'a' });
  const [arrival] = library.arrivals;
  assert.ok(arrival);
  return arrival;
}

test('options come before the environment, and that before the description', async () => {
  const environment = { LIBRARY_BASE_URL: 'https://env.test/v2', LIBRARY_API_KEY: SECRET };
  assert.equal(
    (await request({ baseURL: 'https://option.test/' }, environment)).url,
    'https://option.test/documents/a',
  );
  const { url, headers } = await request({}, environment);
  assert.equal(url, 'https://env.test/v2/documents/a');
  assert.equal(headers.get('x-api-key'), SECRET);
  assert.equal((await request({})).url, 'https://api.library.test/v1/documents/a');
  assert.equal(
    (await request({ baseURL: '' }, { LIBRARY_BASE_URL: '' })).url,
    'https://api.library.test/v1/documents/a',
  );
});

test('no credential of the environment goes beside a passed one', async () => {
  const environment = { LIBRARY_API_KEY: SECRET, LIBRARY_TOKEN: SECRET };
  for (const passed of [{ apiKey: 'mine' }, { token: 'mine' }]) {
    const { headers } = await request(passed, environment);
    assert.doesNotMatch(JSON.stringify([...headers]), new RegExp(SECRET));
  }
});

test('an operation with a server of its own goes there, unless the caller says where', async () => {
  const operation = { ...GET, baseURL: 'https://mirror.test/' };
  assert.equal((await request({}, {}, operation)).url, 'https://mirror.test/documents/a');
  assert.equal(
    (await request({}, {}, { ...GET, baseURL: '/other' })).url,
    'https://api.library.test/other/documents/a',
  );
  assert.equal(
    (await request({ baseURL: 'https://b.test' }, {}, operation)).url,
    'https://b.test/documents/a',
  );
});

test('bad settings are named, and secrets are not', () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ baseURL: 'api.library.test' }, /baseURL or LIBRARY_BASE_URL must be an address/],
    [{ baseURL: [] }, /address of the API is missing/],
    [{ timeoutMs: 0 }, /timeoutMs must be/],
    [{ timeoutMs: Number.NaN }, /timeoutMs must be/],
    [{ attemptTimeoutMs: Infinity }, /attemptTimeoutMs must be/],
    [{ maxRetries: -1 }, /maxRetries must be/],
    [{ apiKey: `${SECRET}\n` }, /^apiKey /],
    [{ token: 'ś' }, /^token /],
    [{ resilience: { retry: { maxRetrys: 1 } } }, /maxRetrys is unknown/],
    [{ baseUrl: 'https://a.test' }, /LibraryAPI\(\) has no option baseUrl; is it baseURL\?/],
    [{ api_key: SECRET }, /no option api_key; is it apiKey\?/],
    [{ timeout: 5 }, /no option timeout; is it timeoutMs\?/],
    [{ colour: 5 }, /no option colour$/],
  ];
  for (const [options, message] of cases) {
    assert.throws(
      () => served().client(options as ClientOptions),
      (error) => {
        assert.ok(error instanceof ConfigurationError);
        assert.match(error.message, message);
        return !inspect(error).includes(SECRET);
      },
    );
  }
});

test('bad variables are named', () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ LIBRARY_API_KEY: `${SECRET}\n` }, /LIBRARY_API_KEY /],
    [{ LIBRARY_LOG: 'loud' }, /LIBRARY_LOG must be one of debug, .*, not 'loud'/],
    [{ LIBRARY_BASE_URL: 'nowhere' }, /LIBRARY_BASE_URL must be an address/],
  ];
  for (const [environment, message] of cases) {
    assert.throws(() => served().client({ surroundings: { environment } }), message);
  }
});

test('other options make another client, of the same class, over the same connections', async () => {
  const library = new Library(json({}, { status: 503 }));
  const client = library.client({ maxRetries: 1 });
  const other = client.withOptions({ maxRetries: 0, timeoutMs: 3000 });
  assert.ok(other instanceof LibraryAPI);
  assert.notEqual(other.documents, client.documents);
  assert.equal(other.documents.client, other);
  await assert.rejects(other.call(GET, { id: 'a' }), DhatuError);
  assert.deepEqual(
    library.arrivals.map(({ headers }) => headers.get('x-library-timeout-ms')),
    ['3000'],
  );
  await assert.rejects(library.clock.finish(client.call(GET, { id: 'a' })), DhatuError);
  assert.equal(library.arrivals.length, 3);
});

test('other options are kept by those that follow', async () => {
  const library = new Library(json({}, { status: 503 }));
  const client = library.client().withOptions({ maxRetries: 0 }).withOptions({ strict: true });
  await assert.rejects(client.call(GET, { id: 'a' }), DhatuError);
  assert.equal(library.arrivals.length, 1);
});

test('a class that takes other arguments can have other options', async () => {
  const library = served();
  class Own extends LibraryAPI {
    readonly name: string;

    constructor() {
      super({ baseURL: 'https://own.test', fetch: library.fetch });
      this.name = 'own';
    }
  }
  const other = new Own().withOptions({ timeoutMs: 5000 });
  await other.call(GET, { id: 'a' });
  const [{ url, headers } = fail()] = library.arrivals;
  assert.deepEqual([other.name, url], ['own', 'https://own.test/documents/a']);
  assert.ok(Number(headers.get('x-library-timeout-ms')) <= 5000);
});

test('what cannot be changed is refused, and leaves nothing behind', async () => {
  const client = served().client();
  assert.throws(() => client.withOptions({ apiKey: 'x' } as object), /withOptions\(\) has no option apiKey/);
  assert.throws(() => client.withOptions({ timeoutMs: -1 }), ConfigurationError);
  assert.equal((await request({ baseURL: 'https://other.test' })).url, 'https://other.test/documents/a');
});

test('a client shows no secret', () => {
  const client = served().client({
    baseURL: 'https://user:hunter2@host.test/x',
    apiKey: SECRET,
    token: SECRET,
  });
  const shown = [
    String(client),
    JSON.stringify(client),
    inspect(client, { showHidden: true, depth: 9, getters: true }),
    JSON.stringify({ ...client }),
  ].join('\n');
  assert.doesNotMatch(shown, new RegExp(`${SECRET}|hunter2`));
});
