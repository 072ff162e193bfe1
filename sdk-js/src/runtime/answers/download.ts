/** Bytes that arrive and go into a file, which appears when it is whole. */

import type { OnProgress } from '../call.js';
import { CHUNK_BYTES } from '../encoding/content.js';
import { ArgumentError, ChecksumError, DecodingError } from '../errors/local.js';
import { APIStatusError } from '../errors/refusals.js';
import { dateMs } from '../policies/retry-after.js';
import { type Answer, TransportFailed } from '../wire.js';
import type { SaveOptions } from './binary.js';
import {
  Checksums,
  hashing,
  type MakeHash,
  type Promised,
  promisedByCaller,
  promisedByHeaders,
} from './checksums.js';
import { type Files, filesOf, type OpenFile } from './files.js';
import type { Source } from './reading.js';
import { Reconnects, type Resumption, type StreamHead } from './streamed.js';

/** What is to be saved, and how. */
interface Order {
  readonly head: StreamHead;
  readonly source: Source;
  readonly files: Files;
  readonly makeHash: MakeHash;
  readonly path: string | URL;
  /** Of the caller. */
  readonly promises: readonly Promised[];
  readonly resume: boolean;
  readonly tell: OnProgress;
  /** Whether somebody has read a part of the answer already: then only the rest is saved. */
  readonly begun: boolean;
}

const OPTIONS: readonly string[] = ['checksum', 'resume', 'onProgress'];

/**
 * The size of the file, when it is whole and in its place.
 *
 * What has arrived so far lies beside it in `NAME.part`; where it could be gone on with, it stays there when the connection
 * breaks for good, and `NAME.part.json` says what it is a part of. Throws `ArgumentError` for options that cannot be.
 */
export async function download(
  head: StreamHead,
  source: Source,
  path: string | URL,
  options: SaveOptions,
  begun: boolean,
): Promise<number> {
  for (const name in options) {
    if (!OPTIONS.includes(name)) throw new ArgumentError(`save() has no option ${name}`);
  }
  const { checksum = '', resume = true, onProgress = () => {} } = options;
  const files = await filesOf();
  const makeHash = await hashing();
  const promises = await promisedByCaller(checksum, makeHash);
  const saving = new Saving({
    head,
    source,
    files,
    makeHash,
    path,
    promises,
    resume,
    tell: onProgress,
    begun,
  });
  try {
    await saving.fetch();
    await saving.finish();
  } catch (error) {
    await saving.abandon();
    throw error;
  }
  return saving.size;
}

/** A file that grows. */
class Saving {
  size = 0;
  readonly #order: Order;
  readonly #part: string | URL;
  readonly #notes: string | URL;
  /** Ranges are defined for GET alone (RFC 9110, section 14.2). */
  readonly #resumption: Resumption | undefined;
  readonly #reconnects: Reconnects | undefined;
  #file: OpenFile | undefined;
  #total: number | undefined;
  #validator = '';
  #checksums: Checksums;
  #requestId = '';

  constructor(order: Order) {
    this.#order = order;
    this.#part = beside(order.path, '.part');
    this.#notes = beside(order.path, '.part.json');
    const { resumption } = order.head;
    if (order.resume && !order.begun && resumption?.method === 'GET') {
      this.#resumption = resumption;
      this.#reconnects = new Reconnects(resumption);
    }
    this.#checksums = this.#adopt(order.head.answer);
  }

  /** Begins with an answer, all of which is to be saved; gives its checksums. */
  #adopt(answer: Answer): Checksums {
    const { begun, promises, makeHash } = this.#order;
    this.#total = begun ? undefined : lengthOf(answer);
    this.#validator = this.#resumption ? validatorOf(answer) : '';
    this.#requestId = answer.headers.get('x-request-id') ?? '';
    const stated = begun ? [] : promisedByHeaders(answer.status, answer.headers);
    this.#checksums = new Checksums([...promises, ...stated], makeHash);
    return this.#checksums;
  }

  // The connection.

  /** Until everything is in the part; throws the error of the connection where it breaks for good. */
  async fetch(): Promise<void> {
    const { head, source } = this.#order;
    await this.#open();
    let whole = this.size > 0 && this.size === this.#total; // as an earlier process left it
    if (this.size && !whole) whole = await this.#goOn();
    while (!whole) {
      try {
        await this.#receive();
        return;
      } catch (error) {
        if (!(error instanceof TransportFailed)) throw error;
        const delayMs = this.#validator ? this.#reconnects?.delayMs() : undefined;
        if (delayMs === undefined) throw head.error(error);
        await source.wait(delayMs);
      }
      whole = await this.#goOn();
    }
  }

  /** The body of the present answer; throws `TransportFailed` where it ends before it should. */
  async #receive(): Promise<void> {
    const { source, tell } = this.#order;
    let pending: Uint8Array[] = [];
    let pendingBytes = 0;
    try {
      tell({ doneBytes: this.size, totalBytes: this.#total });
      for (let chunk = await source.read(); chunk; chunk = await source.read()) {
        pending.push(chunk);
        pendingBytes += chunk.length;
        tell({ doneBytes: this.size + pendingBytes, totalBytes: this.#total });
        if (pendingBytes < CHUNK_BYTES) continue;
        const data = joined(pending, pendingBytes);
        pending = [];
        pendingBytes = 0;
        await this.#write(data);
      }
    } finally {
      // Even where it breaks off: what has arrived need not arrive again.
      await this.#write(joined(pending, pendingBytes));
    }
    if (this.#total !== undefined && this.size !== this.#total) {
      const cause = new Error(`${this.size} of ${this.#total} bytes arrived`);
      throw new TransportFailed({ kind: 'lost', cause });
    }
  }

  /** Asks for what is missing; true where nothing is. */
  async #goOn(): Promise<boolean> {
    const { source } = this.#order;
    let answer: Answer | undefined;
    if (this.size) {
      try {
        answer = await source.reopen([
          ['range', `bytes=${this.size}-`],
          ['if-range', this.#validator],
        ]);
      } catch (error) {
        if (!(error instanceof APIStatusError && error.status === 416)) throw error;
        // Nothing lies behind what is here: it is whole, or of something else.
        const [, said] = /^bytes \*\/(\d+)$/.exec(error.headers.get('content-range') ?? '') ?? [];
        if (Number(said) === this.size) return true;
      }
    }
    if (answer?.status === 206 && this.#continues(answer)) return false;
    const whole = answer?.status === 200 ? answer : await source.reopen([]);
    if (whole.status !== 200) throw this.#refusal(whole);
    this.#adopt(whole);
    await this.#startOver();
    return false;
  }

  /** Whether a part is the one that is missing, of the same whole (RFC 9110, section 15.3.7.2). */
  #continues(answer: Answer): boolean {
    const { headers } = answer;
    const [, start, all] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
    if (Number(start) !== this.size || isEncoded(answer)) return false;
    const total = all === '*' ? this.#total : Number(all);
    if (this.#total !== undefined && total !== this.#total) return false;
    const etag = headers.get('etag');
    if (this.#validator.startsWith('"') && etag && etag !== this.#validator) return false;
    this.#total = total;
    return true;
  }

  #refusal({ status, headers }: Answer): DecodingError {
    const message = `the download broke off, and the server went on with status ${status}`;
    return new DecodingError(message, this.#order.head.operation, status, headers.get('x-request-id') ?? '');
  }

  // The file.

  /** Goes on with what an earlier process left, where it is a part of the same; else begins. */
  async #open(): Promise<void> {
    const { files, head } = this.#order;
    this.#file = await this.#left();
    if (this.#file) {
      await this.#readLeft(this.#file);
      if (this.#total === undefined || this.size <= this.#total) return;
      this.#adopt(head.answer);
    } else {
      this.#file = await files.open(this.#part, 'w');
    }
    await this.#startOver();
  }

  async #readLeft(file: OpenFile): Promise<void> {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, this.size);
      if (!bytesRead) return;
      this.#checksums.update(buffer.subarray(0, bytesRead));
      this.size += bytesRead;
    }
  }

  async #startOver(): Promise<void> {
    const { files } = this.#order;
    await this.#file?.truncate(0);
    this.size = 0;
    if (this.#validator) await files.writeFile(this.#notes, JSON.stringify(await this.#note()));
    else await files.rm(this.#notes, { force: true });
  }

  async #write(data: Uint8Array): Promise<void> {
    if (!data.length) return;
    for (let done = 0; done < data.length; ) {
      const written = await this.#file?.write(data, done, data.length - done, this.size + done);
      done += written?.bytesWritten ?? data.length;
    }
    this.#checksums.update(data);
    this.size += data.length;
    this.#reconnects?.progressed();
  }

  /** Puts it in its place; throws `ChecksumError` where it is not what it should be. */
  async finish(): Promise<void> {
    const { files, head, path } = this.#order;
    const broken = await this.#checksums.broken();
    if (broken) {
      this.#validator = ''; // nobody shall go on with that
      throw new ChecksumError(head.operation, broken.algorithm, broken.source, this.#requestId);
    }
    await this.#close();
    await files.rename(this.#part, path);
    await files.rm(this.#notes, { force: true });
  }

  /** Leaves what can be gone on with, and nothing else. */
  async abandon(): Promise<void> {
    const { files } = this.#order;
    if (!this.#file) return;
    await this.#close();
    if (this.#validator && this.size) return;
    await files.rm(this.#part, { force: true });
    await files.rm(this.#notes, { force: true });
  }

  async #close(): Promise<void> {
    await this.#file?.close();
  }

  /** What the part is a part of: an ETag alone says nothing of which thing it is the ETag. */
  async #note(): Promise<Readonly<Record<string, unknown>>> {
    const hash = this.#order.makeHash('sha256');
    hash?.update(new TextEncoder().encode(this.#resumption?.resource));
    return { validator: this.#validator, resource: await hash?.digest() };
  }

  /** The part that an earlier process left of just this. */
  async #left(): Promise<OpenFile | undefined> {
    const { files } = this.#order;
    if (!this.#validator) return undefined;
    try {
      const noted: unknown = JSON.parse(await files.readFile(this.#notes, 'utf8'));
      if (JSON.stringify(noted) !== JSON.stringify(await this.#note())) return undefined;
      return await files.open(this.#part, 'r+');
    } catch {
      return undefined; // nobody left anything
    }
  }
}

function beside(path: string | URL, ending: string): string | URL {
  return typeof path === 'string' ? path + ending : new URL(path.href + ending);
}

function joined(parts: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const [first] = parts;
  if (first && parts.length === 1) return first;
  const all = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** Whether what is read is not what travels: sizes and ranges count what travels. */
function isEncoded({ headers }: Answer): boolean {
  return (headers.get('content-encoding') ?? 'identity') !== 'identity';
}

function lengthOf(answer: Answer): number | undefined {
  const length = answer.headers.get('content-length') ?? '';
  return /^\d+$/.test(length) && !isEncoded(answer) ? Number(length) : undefined;
}

/**
 * What to send as `If-Range`; empty where the rest of the answer could not be asked for.
 *
 * A strong ETag; where there is none at all, a Last-Modified that is strong because the answer's Date is at least a second
 * later (RFC 9110, sections 8.8.2.2 and 13.1.5).
 */
function validatorOf(answer: Answer): string {
  const header = (name: string) => answer.headers.get(name) ?? '';
  const ranges = header('accept-ranges').toLowerCase().split(',');
  if (answer.status !== 200 || !ranges.some((unit) => unit.trim() === 'bytes') || isEncoded(answer))
    return '';
  const etag = header('etag');
  if (etag) return etag.startsWith('"') ? etag : '';
  const modified = header('last-modified');
  const ageMs = (dateMs(header('date')) ?? Number.NaN) - (dateMs(modified) ?? Number.NaN);
  return ageMs >= 1000 ? modified : '';
}
