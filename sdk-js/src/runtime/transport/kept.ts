/** Bodies that are left to the caller to read. Loaded with the first one. */

import type { AnswerReader, Send, TransportFailed } from '../wire.js';
import type { Limits } from './limits.js';

/**
 * The body of a kept answer.
 *
 * `failed` says what an error of reading stands for; `check` throws where so many bytes are not all of them.
 */
export function readerOf(
  { body }: Response,
  { idleMs }: Send,
  limits: Limits,
  failed: (error: unknown) => Promise<TransportFailed>,
  check: (arrivedBytes: number) => void,
): AnswerReader {
  const source = body?.getReader();
  let arrivedBytes = 0;
  let closed = false;
  const next = async () => {
    if (!source || closed) return undefined;
    try {
      limits.set(idleMs);
      const { value } = await limits.within(source.read());
      arrivedBytes += value?.length ?? 0;
      if (!value && !closed) check(arrivedBytes);
      return value;
    } catch (error) {
      if (closed) return undefined;
      throw await failed(error);
    } finally {
      limits.clear(); // what the caller does with a piece takes as long as it takes
    }
  };
  return {
    async *chunks() {
      for (let piece = await next(); piece; piece = await next()) yield piece;
      limits.release(false);
    },
    async close() {
      closed = true;
      limits.release(true);
      await source?.cancel().catch(() => {}); // it has broken off already
    },
  };
}
