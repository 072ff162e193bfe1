/** Bodies of bytes. */

import type { BodySpec } from '../call.js';
import { bodySpec } from './body.js';
import { encodeContent } from './text.js';

/** A body of any bytes, in one argument. */
export function bytesBody(argument: string, mediaType = 'application/octet-stream'): BodySpec {
  return bodySpec('binary', mediaType, argument, encodeContent);
}
