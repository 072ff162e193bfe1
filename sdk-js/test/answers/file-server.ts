/** A file server for downloads, and a folder to save them in. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SaveOptions } from '../../src/runtime/answers/binary.js';
import type { CallOptions, Operation } from '../../src/runtime/call.js';
import type { ClientOptions } from '../../src/runtime/settings.js';
import { Library } from '../library.js';
import { BROKEN, BYTES, hasty, type Piece, Pieces } from './arriving.js';

export const WHOLE: Uint8Array<ArrayBuffer> = new Uint8Array(1024).map((_, index) => index % 256);

/** As it should be (RFC 9110, section 14), but for connections that break after some bytes. */
export class FileServer {
  data: Uint8Array;
  readonly breaks: number[];
  readonly headers: Record<string, string | undefined>;
  readonly ranges: (string | null)[] = [];

  constructor(
    breaks: number[] = [],
    headers: Record<string, string | undefined> = {},
    data: Uint8Array = WHOLE,
  ) {
    this.data = data;
    this.breaks = [...breaks];
    this.headers = { etag: '"v1"', 'accept-ranges': 'bytes', ...headers };
  }

  answer(request: Headers): Response {
    const { data, headers: own } = this;
    const range = request.get('range');
    this.ranges.push(range);
    const known = [own.etag, own['last-modified']].includes(request.get('if-range') ?? '');
    const start = range && known ? Number(range.slice('bytes='.length, -1)) : 0;
    if (start >= data.length && start)
      return new Response(null, { status: 416, headers: { 'content-range': `bytes */${data.length}` } });
    const headers = new Headers({
      'content-type': 'application/zip',
      'content-length': `${data.length - start}`,
    });
    for (const [name, text] of Object.entries(own)) if (text !== undefined) headers.set(name, text);
    if (start) headers.set('content-range', `bytes ${start}-${data.length - 1}/${data.length}`);
    const rest = data.subarray(start);
    const broken = this.breaks.shift() ?? rest.length;
    const pieces: Piece[] = [];
    for (let at = 0; at < Math.min(broken, rest.length); at += 100)
      pieces.push(rest.subarray(at, Math.min(at + 100, broken)));
    if (broken < rest.length) pieces.push(BROKEN);
    return new Response(new Pieces(...pieces).stream(), { status: start ? 206 : 200, headers });
  }
}

/** Answers in order, the last one again and again. */
export type Served = FileServer | Response | (() => Promise<Response>);

/** A folder, and the client that saves into it. */
export class Folder {
  readonly path: string;
  readonly waits: number[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  /** Removed when the test is over. */
  static async of(test: { after(then: () => unknown): void }): Promise<Folder> {
    const path = await mkdtemp(join(tmpdir(), 'download-'));
    test.after(() => rm(path, { recursive: true }));
    return new Folder(path);
  }

  to(name: string): string {
    return join(this.path, name);
  }

  async names(): Promise<string[]> {
    return (await readdir(this.path)).sort();
  }

  /** Calls the operation, and saves what it answers as `a.zip`. */
  async save(
    servers: Served | readonly Served[],
    {
      operation = BYTES,
      client = {},
      call = {},
      before = () => {},
      ...options
    }: SaveOptions & {
      operation?: Operation<import('../../src/runtime/answers/binary.js').BinaryResponse>;
      client?: ClientOptions;
      call?: CallOptions;
      before?: (download: import('../../src/runtime/answers/binary.js').BinaryResponse) => unknown;
    } = {},
  ): Promise<number> {
    const queue = Array.isArray(servers) ? [...servers] : [servers];
    const library: Library = new Library(async () => {
      const served = queue.length > 1 ? queue.shift() : queue[0];
      if (typeof served === 'function') return served();
      return served instanceof FileServer
        ? served.answer(library.arrivals.at(-1)?.headers ?? new Headers())
        : served.clone();
    });
    const surroundings = hasty(this.waits);
    const made = library.client({ ...client, surroundings });
    const download = await made.call(operation, {}, call);
    await before(download);
    return await download.save(this.to('a.zip'), options);
  }
}
