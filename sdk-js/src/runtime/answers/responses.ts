/** Which response describes an answer, and the kinds of responses that are read whole. */

import type { Operation, ResponseSpec } from '../call.js';
import { essence, isJson, matches, sameParameters } from '../media.js';
import type { Shape } from './shapes.js';
import { textOf } from './text.js';

/** JSON; any value where no shape is given. */
export function jsonAnswer(status: string, shape?: Shape, mediaType = 'application/json'): ResponseSpec {
  return { status, mediaType, kind: 'json', shape };
}

/** No body. */
export function emptyAnswer(status: string): ResponseSpec {
  return { status, mediaType: '', kind: 'empty', read: () => undefined };
}

/** Text, in the charset that the answer names. */
export function textAnswer(status: string, mediaType = 'text/plain'): ResponseSpec {
  return { status, mediaType, kind: 'text', read: textOf };
}

/**
 * The response that describes such an answer: by its status, else by its range; there by its media type.
 *
 * A success under a status that nobody described reads like one that somebody did, before `default` counts.
 */
export function findResponse(
  { responses = [] }: Operation,
  status: number,
  contentType: string,
): ResponseSpec | undefined {
  const text = `${status}`;
  for (const beginning of [text, `${text[0]}XX`, status < 300 ? '2' : text, 'DEFAULT']) {
    const found = responses.filter((spec) => spec.status.toUpperCase().startsWith(beginning));
    if (found.length) return byMediaType(found, contentType);
  }
  return undefined;
}

/** The one for a media type; an answer that names none is empty if it may be, else what it should be. */
function byMediaType(specs: readonly ResponseSpec[], contentType: string): ResponseSpec | undefined {
  const mediaType = essence(contentType);
  const empty = specs.find((spec) => spec.kind === 'empty');
  if (!mediaType) return empty ?? specs[0];
  const named = specs.filter((spec) => essence(spec.mediaType) === mediaType);
  return (
    // Some APIs tell versions apart by a parameter such as `v=2` alone.
    named.find((spec) => sameParameters(spec.mediaType, contentType)) ??
    named[0] ??
    specs.find((spec) => matches(spec.mediaType, mediaType)) ??
    // Servers are loose about which JSON it is.
    specs.find((spec) => spec.kind === 'json' && isJson(mediaType)) ??
    empty
  );
}
