/** Downloads: whole or not at all, gone on with where they broke off. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { BinaryResponse, SaveOptions } from '../../src/runtime/answers/binary.js';
import { filesOf } from '../../src/runtime/answers/files.js';
import type { Progress } from '../../src/runtime/call.js';
import {
  ArgumentError,
  ConnectionLostError,
  DecodingError,
  NotFoundError,
} from '../../src/runtime/errors.js';
import { seeded } from '../clock.js';
import { arriving, BROKEN, BYTES, drawing, type Piece } from './arriving.js';
import { FileServer, Folder, WHOLE } from './file-server.js';

const bytesOf = async (path: string) => new Uint8Array(await readFile(path));
const repeated = (text: string, times: number) => new TextEncoder().encode(text.repeat(times));
const VERSIONED = { etag: '"v1"', 'accept-ranges': 'bytes' };
const zip = (pieces: Piece[], headers: Record<string, string>, status = 200) =>
  arriving('application/zip', pieces, { status, headers });

describe('going on', () => {
  test('fetches only the rest', async (t) => {
    const folder = await Folder.of(t);
    const server = new FileServer([300, 200]);
    assert.equal(await folder.save(server), WHOLE.length);
    assert.deepEqual(await bytesOf(folder.to('a.zip')), WHOLE);
    assert.deepEqual(server.ranges, [null, 'bytes=300-', 'bytes=500-']);
    assert.deepEqual(await folder.names(), ['a.zip']);
    assert.deepEqual(folder.waits, [1000, 1000]);
  });

  test('starts over with a new version, shorter or longer', async (t) => {
    const folder = await Folder.of(t);
    for (const data of [repeated('new', 10), repeated('new', 200)]) {
      const server = new FileServer([300]);
      const before = () => {
        server.data = data;
        server.headers.etag = '"v2"';
      };
      assert.equal(await folder.save(server, { before }), data.length);
      assert.deepEqual(await bytesOf(folder.to('a.zip')), data);
    }
  });

  test('goes by Last-Modified where there is no ETag', async (t) => {
    const folder = await Folder.of(t);
    const server = new FileServer([300], {
      etag: undefined,
      'last-modified': 'Mon, 02 Nov 2026 10:00:00 GMT',
      date: 'Mon, 02 Nov 2026 10:00:01 GMT',
    });
    await folder.save(server);
    assert.deepEqual(server.ranges, [null, 'bytes=300-']);
    assert.deepEqual(await bytesOf(folder.to('a.zip')), WHOLE);
  });

  test('does without what the server does not offer', async (t) => {
    const folder = await Folder.of(t);
    const modified = { 'last-modified': 'Mon, 02 Nov 2026 10:00:00 GMT' };
    const offers: Record<string, string | undefined>[] = [
      { 'accept-ranges': 'none' },
      { 'accept-ranges': undefined },
      { etag: 'W/"v1"' },
      { etag: undefined },
      { etag: undefined, ...modified },
      { etag: undefined, ...modified, date: 'Mon, 02 Nov 2026 10:00:00 GMT' },
      { etag: 'W/"v1"', ...modified, date: 'Tue, 03 Nov 2026 10:00:00 GMT' },
    ];
    for (const headers of offers) {
      const server = new FileServer([300], headers);
      await assert.rejects(folder.save(server), ConnectionLostError);
      assert.deepEqual(server.ranges, [null]);
      assert.deepEqual(await folder.names(), []);
    }
  });

  test('is left to the caller', async (t) => {
    const folder = await Folder.of(t);
    for (const options of [{ call: { resume: false } }, { resume: false }]) {
      const server = new FileServer([300]);
      await assert.rejects(folder.save(server, options), ConnectionLostError);
      assert.deepEqual(server.ranges, [null]);
      assert.deepEqual(await folder.names(), []);
    }
  });

  test('is for GET alone', async (t) => {
    const folder = await Folder.of(t);
    const server = new FileServer([300]);
    await assert.rejects(
      folder.save(server, { operation: { ...BYTES, method: 'POST' } }),
      ConnectionLostError,
    );
    assert.deepEqual(server.ranges, [null]);
  });

  test('starts over where the part is one of something else', async (t) => {
    const folder = await Folder.of(t);
    const wrong: Record<string, string>[] = [
      { 'content-range': 'bytes 0-1023/1024' },
      { 'content-range': 'bytes 300-1023/2000' },
      { 'content-range': 'garbled' },
      {},
      { 'content-range': 'bytes 300-1023/1024', etag: '"v2"' },
      { 'content-range': 'bytes 300-1023/1024', 'content-encoding': 'identity, x' },
    ];
    for (const headers of wrong) {
      const last = new FileServer();
      await folder.save([new FileServer([300]), zip(['?'], headers, 206), last]);
      assert.deepEqual(await bytesOf(folder.to('a.zip')), WHOLE);
      assert.deepEqual(last.ranges, [null]);
    }
  });

  test('asks for nothing more where nothing is missing after all', async (t) => {
    const folder = await Folder.of(t);
    const server = new FileServer();
    // A body of unknown length may break after its last byte.
    assert.equal(await folder.save([zip([WHOLE, BROKEN], VERSIONED), server]), WHOLE.length);
    assert.deepEqual(server.ranges, ['bytes=1024-']);
  });

  test('starts over where the server has something shorter', async (t) => {
    const folder = await Folder.of(t);
    const refused = new Response(null, { status: 416, headers: { 'content-range': 'bytes */200' } });
    const shorter = new FileServer([], {}, WHOLE.subarray(0, 200));
    assert.equal(await folder.save([new FileServer([300]), refused, shorter]), 200);
  });

  test('asks for all of it where nothing has come', async (t) => {
    const folder = await Folder.of(t);
    const server = new FileServer([0]);
    await folder.save(server);
    assert.deepEqual(server.ranges, [null, null]);
    assert.deepEqual(await bytesOf(folder.to('a.zip')), WHOLE);
  });

  test('takes a body that ends too early for broken', async (t) => {
    const folder = await Folder.of(t);
    const server = new FileServer();
    const short = zip([WHOLE.subarray(0, 1000)], { ...VERSIONED, 'content-length': '1024' });
    await folder.save([short, server]);
    assert.deepEqual(server.ranges, ['bytes=1000-']);
    assert.deepEqual(await bytesOf(folder.to('a.zip')), WHOLE);
  });

  test('learns from a part how much there is', async (t) => {
    const folder = await Folder.of(t);
    const part = { ...VERSIONED, 'content-range': 'bytes 300-1023/1024' };
    const server = new FileServer();
    const begun = zip([WHOLE.subarray(0, 300), BROKEN], VERSIONED);
    const more = zip([WHOLE.subarray(300, 900)], part, 206);
    assert.equal(await folder.save([begun, more, server]), WHOLE.length);
    assert.deepEqual(server.ranges, ['bytes=900-']);
  });

  test('ends with a refusal', async (t) => {
    const folder = await Folder.of(t);
    const refused = new Response(null, { status: 404 });
    await assert.rejects(folder.save([new FileServer([300]), refused]), NotFoundError);
    assert.ok(!(await folder.names()).includes('a.zip'));
  });

  test('takes no empty answer for the rest', async (t) => {
    const folder = await Folder.of(t);
    const empty = new Response(null, { status: 204 });
    await assert.rejects(folder.save([new FileServer([300]), empty]), (error) => {
      assert.ok(error instanceof DecodingError);
      assert.match(error.message, /went on with status 204/);
      return true;
    });
  });

  test('is given up when nothing comes any more', async (t) => {
    const folder = await Folder.of(t);
    const server = new FileServer([300, 0, 0, 0, 0]);
    await assert.rejects(folder.save(server, { client: { maxRetries: 2 } }), ConnectionLostError);
    assert.equal(server.ranges.length, 3);
    assert.deepEqual(await folder.names(), ['a.zip.part', 'a.zip.part.json']);
  });
});

describe('what one process left', () => {
  /** A folder with 300 bytes of it. */
  async function left(t: Parameters<typeof Folder.of>[0]): Promise<Folder> {
    const folder = await Folder.of(t);
    await assert.rejects(
      folder.save(new FileServer([300]), { client: { maxRetries: 0 } }),
      ConnectionLostError,
    );
    assert.deepEqual(await bytesOf(folder.to('a.zip.part')), WHOLE.subarray(0, 300));
    return folder;
  }

  test('another goes on with', async (t) => {
    const folder = await left(t);
    const server = new FileServer();
    const told: Progress[] = [];
    const checksum = `sha256:${createHash('sha256').update(WHOLE).digest('hex')}`;
    const options: SaveOptions = { checksum, onProgress: (progress) => told.push(progress) };
    assert.equal(await folder.save(server, options), WHOLE.length);
    assert.deepEqual(server.ranges, [null, 'bytes=300-']);
    assert.deepEqual(
      [told[0], told.at(-1)],
      [300, 1024].map((doneBytes) => ({ doneBytes, totalBytes: 1024 })),
    );
    assert.deepEqual(await folder.names(), ['a.zip']);
  });

  test('is thrown away where it is of another version', async (t) => {
    const data = repeated('new', 200);
    for (const headers of [{ etag: '"v2"' }, { 'accept-ranges': undefined }, { etag: undefined }]) {
      const folder = await left(t);
      const server = new FileServer([], headers, data);
      assert.equal(await folder.save(server), 600);
      assert.deepEqual(await bytesOf(folder.to('a.zip')), data);
      assert.equal(server.ranges.length, 1);
      assert.deepEqual(await folder.names(), ['a.zip']);
    }
  });

  test('is thrown away where an equal ETag is of another resource', async (t) => {
    const folder = await left(t);
    const data = repeated('new', 200);
    await folder.save(new FileServer([], {}, data), { call: { extraQuery: { id: '2' } } });
    assert.deepEqual(await bytesOf(folder.to('a.zip')), data);
  });

  test('needs no further request where it is whole', async (t) => {
    const folder = await left(t);
    await writeFile(folder.to('a.zip.part'), WHOLE);
    const server = new FileServer();
    await folder.save(server);
    assert.equal(server.ranges.length, 1);
    assert.deepEqual(await bytesOf(folder.to('a.zip')), WHOLE);
  });

  test('is thrown away where nobody knows what it is', async (t) => {
    for (const notes of ['', '{', '[]', 'null']) {
      const folder = await Folder.of(t);
      await writeFile(folder.to('a.zip.part'), '?'.repeat(300));
      if (notes) await writeFile(folder.to('a.zip.part.json'), notes);
      await folder.save(new FileServer());
      assert.deepEqual(await bytesOf(folder.to('a.zip')), WHOLE);
      assert.deepEqual(await folder.names(), ['a.zip']);
    }
  });

  test('is thrown away where it is too long', async (t) => {
    const folder = await left(t);
    await writeFile(folder.to('a.zip.part'), '?'.repeat(2000));
    const checksum = `sha256:${createHash('sha256').update(WHOLE).digest('hex')}`;
    const server = new FileServer();
    await folder.save(server, { checksum });
    assert.deepEqual(await bytesOf(folder.to('a.zip')), WHOLE);
    assert.deepEqual(server.ranges, [null]);
  });

  test('is gone on with where nobody says how much there is', async (t) => {
    const folder = await left(t);
    const server = new FileServer();
    await folder.save([zip([WHOLE], VERSIONED), server]);
    assert.deepEqual(server.ranges, ['bytes=300-']);
    assert.deepEqual(await bytesOf(folder.to('a.zip')), WHOLE);
  });

  test('holds no secret in its notes', async (t) => {
    const folder = await Folder.of(t);
    const call = { extraQuery: { key: 's3cret' }, maxRetries: 0 };
    await assert.rejects(folder.save(new FileServer([300]), { call }), ConnectionLostError);
    const notes = await readFile(folder.to('a.zip.part.json'), 'utf8');
    assert.ok(!notes.includes('s3cret'));
    assert.equal(JSON.parse(notes).validator, '"v1"');
  });
});

describe('saving', () => {
  test('leaves out what was read before', async (t) => {
    const folder = await Folder.of(t);
    const server = new FileServer([], { 'repr-digest': `sha-256=:${'A'.repeat(43)}=:` });
    const saved = await folder.save(server, {
      before: async (download) => assert.deepEqual((await download.next()).value, WHOLE.subarray(0, 100)),
    });
    assert.equal(saved, WHOLE.length - 100);
    assert.deepEqual(await bytesOf(folder.to('a.zip')), WHOLE.subarray(100));
  });

  test('goes on with nothing of which a part was read before', async (t) => {
    const folder = await Folder.of(t);
    const server = new FileServer([300]);
    const before = (download: BinaryResponse) => download.next();
    await assert.rejects(folder.save(server, { before }), ConnectionLostError);
    assert.deepEqual(server.ranges, [null]);
    assert.deepEqual(await folder.names(), []);
  });

  test('leaves nothing where nothing has come', async (t) => {
    const folder = await Folder.of(t);
    await assert.rejects(
      folder.save(new FileServer([0]), { client: { maxRetries: 0 } }),
      ConnectionLostError,
    );
    assert.deepEqual(await folder.names(), []);
  });

  test('takes the address of a file for its path', async (t) => {
    const folder = await Folder.of(t);
    await folder
      .save(new FileServer(), {
        before: (download) => download.save(pathToFileURL(folder.to('ü .zip'))),
      })
      .catch(() => {}); // what was saved already is closed
    assert.deepEqual(await bytesOf(folder.to('ü .zip')), WHOLE);
  });

  test('refuses an option that there is not', async (t) => {
    const folder = await Folder.of(t);
    const options = { chunk: 1 } as SaveOptions;
    await assert.rejects(folder.save(new FileServer(), options), /save\(\) has no option chunk/);
  });

  test('fails in a folder that is not there', async (t) => {
    const folder = await Folder.of(t);
    const before = (download: { save(path: string): Promise<number> }) =>
      assert.rejects(download.save(folder.to('none/a.zip')), { code: 'ENOENT' });
    await folder.save(new FileServer(), { before }).catch(() => {});
    assert.ok(!(await folder.names()).includes('none'));
  });

  test('a listener that throws leaves what can be gone on with', async (t) => {
    const folder = await Folder.of(t);
    const onProgress = ({ doneBytes }: Progress) => {
      if (doneBytes >= 300) throw new RangeError("the listener's own");
    };
    await assert.rejects(folder.save(new FileServer(), { onProgress }), RangeError);
    assert.deepEqual(await bytesOf(folder.to('a.zip.part')), WHOLE.subarray(0, 300));
  });

  test('an answer of a part is saved as it is', async (t) => {
    const folder = await Folder.of(t);
    const call = { extraHeaders: { Range: 'bytes=1000-', 'If-Range': '"v1"' } };
    assert.equal(await folder.save(new FileServer(), { call }), 24);
  });

  test('a body much larger than a piece is whole', async (t) => {
    const folder = await Folder.of(t);
    const piece = new Uint8Array(100_000).map((_, index) => index);
    const pieces = Array<Uint8Array>(20).fill(piece);
    assert.equal(await folder.save(zip(pieces, {})), 2_000_000);
    const saved = await bytesOf(folder.to('a.zip'));
    for (let at = 0; at < saved.length; at += piece.length)
      assert.ok(Buffer.from(piece).equals(saved.subarray(at, at + piece.length)));
  });

  test('a runtime without files is told of', async () => {
    await assert.rejects(filesOf('browser'), (error) => {
      assert.ok(error instanceof ArgumentError);
      assert.match(error.message, /this runtime has not; take blob\(\) or stream\(\)/);
      return true;
    });
  });
});

test('wherever it breaks, the file is whole, and never of two versions', async (t) => {
  const draw = drawing(seeded(5));
  for (let round = 0; round < 40; round++) {
    const folder = await Folder.of(t);
    const data = new Uint8Array(draw.list(600, () => draw.below(256)));
    const [breaks, versions] = [draw.list(6, () => draw.below(600)), draw.list(6, () => draw.below(4))];
    const server = new FileServer(breaks);
    const answer = server.answer.bind(server);
    server.answer = (request) => {
      const version = versions.shift() ?? 0;
      server.headers.etag = `"v${version}"`;
      server.data = new Uint8Array([...data, ...Array<number>(10).fill(version)]);
      return answer(request);
    };
    const resume = draw.of([true, false]);
    let size: number | undefined;
    while (size === undefined) {
      size = await folder.save(server, { resume, client: { maxRetries: 1 } }).catch((error) => {
        assert.ok(error instanceof ConnectionLostError, String(error));
        return undefined;
      });
      assert.equal((await folder.names()).includes('a.zip'), size !== undefined);
    }
    const saved = await bytesOf(folder.to('a.zip'));
    assert.equal(saved.length, size);
    assert.deepEqual(saved.subarray(0, -10), data);
    assert.equal(new Set(saved.subarray(-10)).size, 1);
  }
});
