import assert from 'node:assert/strict';
import { test } from 'node:test';
import { essence, isJson, matches, parameterOf, sameParameters } from '../src/runtime/media.js';

test('the essence is in lower case and without parameters', () => {
  assert.equal(essence(' Text/HTML ; charset=utf-8; a=b\n'), 'text/html');
  assert.equal(essence(''), '');
});

test('a media type lies in its range', () => {
  assert.ok(matches('image/*', 'image/png'));
  assert.ok(matches('*/*', 'text/html'));
  assert.ok(matches('Image/PNG; q=1', 'image/png'));
  assert.ok(!matches('image/png', 'image/gif'));
  assert.ok(!matches('image/*', 'imagery/png'));
});

test('JSON is what is JSON or built on it', () => {
  for (const type of ['application/json', 'application/geo+json', 'Application/JSON; charset=utf-8'])
    assert.ok(isJson(type), type);
  for (const type of ['application/jsonl', 'text/json', 'application/json-seq', ''])
    assert.ok(!isJson(type), type);
});

test('parameters are read without their quotes', () => {
  assert.equal(parameterOf('text/plain; Charset="UTF-8"', 'charset'), 'UTF-8');
  assert.equal(parameterOf('text/plain; x=a=b', 'x'), 'a=b');
  assert.equal(parameterOf('text/plain', 'charset'), '');
});

test('what is described has to be there', () => {
  assert.ok(sameParameters('text/x; v=2', 'text/x; charset=utf-8; v=2'));
  assert.ok(!sameParameters('text/x; v=2', 'text/x'));
  assert.ok(sameParameters('text/x', 'text/x; v=2'));
});
