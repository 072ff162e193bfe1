/** The files of the runtime, where it has any: the only module that knows them. */

import { ArgumentError } from '../errors/local.js';

/** What is used of a file that is open. */
export interface OpenFile {
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  write(
    data: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>;
  truncate(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

/** What is used of `node:fs/promises`, which Bun and Deno have as well. */
export interface Files {
  open(path: string | URL, flags: 'r+' | 'w'): Promise<OpenFile>;
  readFile(path: string | URL, encoding: 'utf8'): Promise<string>;
  writeFile(path: string | URL, text: string): Promise<void>;
  rename(from: string | URL, to: string | URL): Promise<void>;
  rm(path: string | URL, options: { readonly force: boolean }): Promise<void>;
}

/** Throws `ArgumentError` where there are none. */
export async function filesOf(runtime: string = 'node'): Promise<Files> {
  const name = [runtime, 'fs/promises'].join(':'); // lest bundlers for browsers look for it
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ name);
  } catch (cause) {
    throw new ArgumentError('save() needs files, which this runtime has not; take blob() or stream()', {
      cause,
    });
  }
}
