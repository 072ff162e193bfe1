/** Telling how far an upload is. */

import type { OnProgress } from './call.js';
import type { Body } from './encoding/content.js';

/**
 * A body that tells how much of it was sent; each attempt begins at 0 again.
 *
 * It has no `whole`, so that it is read piece by piece; a piece counts as sent when the next one is asked for.
 */
export function meteredBody(body: Body, onProgress: OnProgress): Body {
  const totalBytes = body.sizeBytes;
  return {
    sizeBytes: totalBytes,
    get repeatable() {
      return body.repeatable;
    },
    async *chunks() {
      let doneBytes = 0;
      onProgress({ doneBytes, totalBytes });
      for await (const chunk of body.chunks()) {
        yield chunk;
        doneBytes += chunk.length;
        onProgress({ doneBytes, totalBytes });
      }
    },
  };
}
