/** Which response describes an answer, and the kinds of responses that are read whole. */

import type { Operation, ResponseSpec } from '../call.js';
import { essence, isJson, matches, sameParameters } from '../media.js';
import type { Shape } from './shapes.js';

/** JSON; any value where no shape is given. */
export function jsonAnswer(status: string, shape?: Shape, mediaType = 'application/json'): ResponseSpec {
  return { status, mediaType, kind: 'json', shape };
}

/** No body. */
export function emptyAnswer(status: string): ResponseSpec {
  return { status, mediaType: '', kind: 'empty' };
}

/** Text, in the charset that the answer names. */
export function textAnswer(status: string, mediaType = 'text/plain'): ResponseSpec {
  return { status, mediaType, kind: 'text' };
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
  const under = [
    (said: string) => said === text,
    (said: string) => said.toUpperCase() === `${text[0]}XX`,
    (said: string) => status < 300 && said[0] === '2',
    (said: string) => said === 'default',
  ];
  for (const applies of under) {
    const found = responses.filter((spec) => applies(spec.status));
    if (found.length) return byMediaType(found, contentType);
  }
  return undefined;
}

/** The one for a media type; an answer that names none is empty if it may be, else what it should be. */
function byMediaType(specs: readonly ResponseSpec[], contentType: string): ResponseSpec | undefined {
  const mediaType = essence(contentType);
  const named = specs.filter((spec) => mediaType && essence(spec.mediaType) === mediaType);
  // Some APIs tell versions apart by a parameter such as `v=2` alone.
  if (named[0]) return named.find((spec) => sameParameters(spec.mediaType, contentType)) ?? named[0];
  return (
    specs.find((spec) => spec.mediaType && mediaType && matches(spec.mediaType, mediaType)) ??
    // Servers are loose about which JSON it is.
    (isJson(mediaType) ? specs.find((spec) => spec.kind === 'json') : undefined) ??
    specs.find((spec) => spec.kind === 'empty') ??
    (mediaType ? undefined : specs[0])
  );
}
