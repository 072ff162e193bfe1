import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConfigurationError } from '../src/runtime/errors.js';
import { checkedURL, listedEndpoints } from '../src/runtime/urls.js';
import { withoutUser } from '../src/runtime/wire.js';

test('an address loses the slash at its end', () => {
  assert.equal(checkedURL('https://api.test/v1/', 'baseURL'), 'https://api.test/v1');
});

test('what is no address is refused, by the name of the option', () => {
  const cases: [string, RegExp][] = [
    ['', /is missing: set baseURL/],
    ['api.sample.test', /baseURL must be an address/],
    ['ftp://api.sample.test', /must be an address/],
    ['https://', /must be an address/],
    ['https://host:port', /must be an address/],
    ['https://host:0', /must be an address/],
    ['https://host?x=1', /neither a query nor a fragment/],
    ['https://host#x', /neither a query nor a fragment/],
  ];
  for (const [url, message] of cases) {
    assert.throws(() => checkedURL(url, 'baseURL'), message, url);
    assert.throws(() => checkedURL(url, 'baseURL'), ConfigurationError);
  }
});

test('no password is shown', () => {
  assert.equal(withoutUser('https://user:hunter2@host.test/x'), 'https://host.test/x');
  assert.equal(withoutUser('https://host.test/a@b'), 'https://host.test/a@b');
  assert.throws(
    () => checkedURL('https://user:hunter2@host:port', 'baseURL'),
    (error) => !String(error).includes('hunter2'),
  );
});

test('several addresses, perhaps with weights', () => {
  assert.deepEqual(listedEndpoints(['https://a.test', 'https://b.test/'], 'baseURL'), [
    { url: 'https://a.test' },
    { url: 'https://b.test' },
  ]);
  assert.deepEqual(listedEndpoints({ 'https://a.test/': 2 }, 'baseURL'), [
    { url: 'https://a.test', weight: 2 },
  ]);
  assert.throws(() => listedEndpoints([], 'baseURL'), /is missing/);
  for (const weight of [0, -1, Number.NaN, Infinity]) {
    assert.throws(() => listedEndpoints({ 'https://a.test': weight }, 'baseURL'), /weight/);
  }
});
