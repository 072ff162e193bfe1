/** Answers that arrive piece by piece, break and fall silent, as a test says. */

import { bytesAnswer } from '../../src/runtime/answers/binary.js';
import { eventsAnswer, linesAnswer } from '../../src/runtime/answers/streams.js';
import type { Operation, ResponseSpec } from '../../src/runtime/call.js';
import type { Surroundings } from '../../src/runtime/surroundings.js';

/** Where the connection breaks. */
export const BROKEN = new TypeError('terminated', {
  cause: Object.assign(new Error('reset by peer'), { code: 'ECONNRESET' }),
});

/** A piece of a body, where it breaks, or what happens before the next piece. */
export type Piece = string | Uint8Array | Error | (() => unknown);

/** A body in pieces, each given when it is asked for; remembers whether it was closed. */
export class Pieces {
  closed = false;
  readonly #pieces: Piece[];

  constructor(...pieces: Piece[]) {
    this.#pieces = [...pieces];
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream(
      {
        pull: async (controller) => {
          for (;;) {
            const piece = this.#pieces.shift();
            if (piece === undefined || piece instanceof Error) {
              this.closed = true;
              return piece ? controller.error(piece) : controller.close();
            }
            if (typeof piece !== 'function')
              return controller.enqueue(new Uint8Array(typeof piece === 'string' ? utf8(piece) : piece));
            await piece();
          }
        },
        cancel: () => {
          this.closed = true;
        },
      },
      { highWaterMark: 0 },
    );
  }
}

/** A reply with such a body, made anew every time. */
export function arriving(mediaType: string, pieces: Piece[], init: ResponseInit = {}) {
  return async (): Promise<Response> => {
    const headers = { 'content-type': mediaType, ...(init.headers as Record<string, string>) };
    return new Response(new Pieces(...pieces).stream(), { ...init, headers });
  };
}

export function events(...pieces: Piece[]) {
  return arriving('text/event-stream', pieces);
}

export function event(number: number, more = ''): string {
  return `${more}id: ${number}\ndata: ${number}\n\n`;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** What answers in one way. */
export function operation<T>(response: ResponseSpec, more: Partial<Operation> = {}): Operation<T> {
  return {
    key: 'documents.get',
    method: 'GET',
    path: '/documents',
    responses: [response],
    retry: 'safe',
    ...more,
  } as Operation<T>;
}

export const EVENTS = operation<import('../../src/runtime/answers/streams.js').EventStream<unknown>>(
  eventsAnswer('200'),
);
export const LINES = operation<import('../../src/runtime/answers/streams.js').EventStream<unknown>>(
  linesAnswer('200'),
);
export const BYTES = operation<import('../../src/runtime/answers/binary.js').BinaryResponse>(
  bytesAnswer('200', 'application/zip'),
);

/** All items of a series. */
export async function all<T>(series: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of series) items.push(item);
  return items;
}

/** A timer whose pauses are over at once, and whose limits are never reached: for work on files, which takes real time. */
export function hasty(waits: number[] = []): Pick<Surroundings, 'timer'> {
  return {
    timer: (afterMs, then, pause) => {
      if (pause) {
        waits.push(afterMs);
        setImmediate(then);
      }
      return () => {};
    },
  };
}

/** The stream cut at these places. */
export function cut(stream: Uint8Array, places: readonly number[]): Uint8Array[] {
  const bounds = [0, ...places.map((place) => place % (stream.length + 1)).sort((a, b) => a - b)];
  return bounds.map((start, index) => stream.subarray(start, bounds[index + 1] ?? stream.length));
}

/** Draws from what `chance` gives. */
export interface Draw {
  below(limit: number): number;
  of<T>(values: readonly T[]): T;
  list<T>(longest: number, make: () => T): T[];
}

export function drawing(chance: () => number): Draw {
  const below = (limit: number) => Math.floor(chance() * limit);
  return {
    below,
    of: <T>(values: readonly T[]) => values[below(values.length)] as T,
    list: (longest, make) => Array.from({ length: below(longest + 1) }, make),
  };
}
