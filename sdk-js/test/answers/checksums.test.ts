/** What downloads are checked by: headers of the answer, and what the caller says. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { hashing, promisedByCaller, subtleHash } from '../../src/runtime/answers/checksums.js';
import { ArgumentError, ChecksumError, ConnectionLostError } from '../../src/runtime/errors.js';
import { arriving, BROKEN, utf8 } from './arriving.js';
import { FileServer, Folder, WHOLE } from './file-server.js';

const digest = (data: Uint8Array, algorithm: string) => createHash(algorithm).update(data).digest('base64');
const hex = (data: Uint8Array, algorithm: string) => createHash(algorithm).update(data).digest('hex');
const ELSE = utf8('else');

test('what a header says that is not so', async (t) => {
  const folder = await Folder.of(t);
  const said: [Record<string, string>, string, string][] = [
    [{ 'repr-digest': `sha-256=:${digest(ELSE, 'sha256')}:` }, 'sha256', 'repr-digest'],
    [{ 'repr-digest': `md5=:AAAA:, sha-512=:${digest(ELSE, 'sha512')}:` }, 'sha512', 'repr-digest'],
    [{ 'content-digest': `sha-256=:${digest(ELSE, 'sha256')}:` }, 'sha256', 'content-digest'],
    [{ 'content-md5': digest(ELSE, 'md5') }, 'md5', 'content-md5'],
  ];
  for (const [headers, algorithm, source] of said) {
    await assert.rejects(folder.save(new FileServer([], headers)), (error) => {
      assert.ok(error instanceof ChecksumError);
      assert.deepEqual([error.algorithm, error.source], [algorithm, source]);
      return true;
    });
    assert.deepEqual(await folder.names(), []);
  }
});

test('what holds', async (t) => {
  const folder = await Folder.of(t);
  const headers = {
    'repr-digest': `sha-256=:${digest(WHOLE, 'sha256')}:,sha-512=:${digest(WHOLE, 'sha512')}:`,
    'content-md5': digest(WHOLE, 'md5'),
  };
  const checksum = `SHA-256:${hex(WHOLE, 'sha256').toUpperCase()}`;
  assert.equal(await folder.save(new FileServer([300, 300], headers), { checksum }), WHOLE.length);
});

test('what is weak or garbled says nothing', async (t) => {
  const folder = await Folder.of(t);
  const headers = { 'repr-digest': 'md5=:AAAA:, unixsum=30637, sha-256=:A:', 'content-md5': '?' };
  assert.equal(await folder.save(new FileServer([], headers)), WHOLE.length);
});

test('of a part counts what is said of the part', async (t) => {
  const folder = await Folder.of(t);
  const call = { extraHeaders: { Range: 'bytes=1000-', 'If-Range': '"v1"' } };
  const [whole, part] = [WHOLE, WHOLE.subarray(1000)].map((data) => `sha-256=:${digest(data, 'sha256')}:`);
  const right = { 'repr-digest': whole, 'content-digest': part };
  assert.equal(await folder.save(new FileServer([], right), { call }), 24);
  const wrong = new FileServer([], { 'content-digest': whole });
  await assert.rejects(folder.save(wrong, { call }), ChecksumError);
});

test('what the caller says, and what was there before', async (t) => {
  const folder = await Folder.of(t);
  await writeFile(folder.to('a.zip'), 'before');
  const checksum = `sha256:${'0'.repeat(64)}`;
  await assert.rejects(folder.save(new FileServer(), { checksum }), (error) => {
    assert.ok(error instanceof ChecksumError);
    assert.deepEqual([error.algorithm, error.source], ['sha256', 'checksum']);
    return true;
  });
  assert.deepEqual(await folder.names(), ['a.zip']);
  assert.equal(await readFile(folder.to('a.zip'), 'utf8'), 'before');
});

test('what is no checksum is refused', async (t) => {
  const folder = await Folder.of(t);
  for (const checksum of ['sha256', 'sha256:12', 'sha256:xy', 'rot13:00', 'shake_128:00', ':', ':00'])
    await assert.rejects(folder.save(new FileServer(), { checksum }), (error) => {
      assert.ok(error instanceof ArgumentError);
      assert.match(error.message, /sha256:/);
      return true;
    });
});

test('compressed answers are checked by the caller alone', async (t) => {
  // Size, ranges and digests are of what travels (RFC 9110, sections 8.6 and 14.2; RFC 9530).
  const folder = await Folder.of(t);
  const headers = {
    'content-encoding': 'gzip',
    'content-digest': `sha-256=:${digest(ELSE, 'sha256')}:`,
    'content-length': '7',
    etag: '"v1"',
    'accept-ranges': 'bytes',
  };
  const checksum = `sha256:${hex(WHOLE, 'sha256')}`;
  const whole = arriving('application/zip', [WHOLE], { headers });
  assert.equal(await folder.save(whole, { checksum }), WHOLE.length);
  const broken = arriving('application/zip', [WHOLE.subarray(0, 20), BROKEN], { headers });
  await assert.rejects(folder.save(broken), ConnectionLostError);
  assert.deepEqual(await folder.names(), ['a.zip']);
});

test('the names that Python has are known as well', async () => {
  const makeHash = await hashing();
  for (const [name, there] of [
    ['sha3_256', 'sha3-256'],
    ['blake2b', 'blake2b512'],
    ['blake2s', 'blake2s256'],
    ['sha-1', 'sha1'],
  ] as const) {
    const promised = await promisedByCaller(`${name}:${hex(WHOLE, there)}`, makeHash);
    const hash = makeHash(promised[0]?.algorithm ?? '');
    hash?.update(WHOLE);
    assert.equal(await hash?.digest(), promised[0]?.digest);
  }
});

test('Web Crypto gives the same digests, and is not asked for others', async () => {
  for (const algorithm of ['sha1', 'sha256', 'sha384', 'sha512']) {
    const hash = subtleHash(algorithm);
    hash?.update(WHOLE.subarray(0, 500));
    hash?.update(WHOLE.subarray(500));
    assert.equal(await hash?.digest(), hex(WHOLE, algorithm));
  }
  assert.equal(subtleHash('md5'), undefined);
  await assert.rejects(promisedByCaller(`md5:${hex(WHOLE, 'md5')}`, subtleHash), ArgumentError);
});
