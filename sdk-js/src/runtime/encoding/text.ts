/** Bodies of text. */

import type { BodySpec } from '../call.js';
import { ArgumentError } from '../errors/local.js';
import { essence, matches, parameterOf } from '../media.js';
import { bodySpec, CHOICE, type EncodedBody, encoded, type GivenBody } from './body.js';
import { bodyOf, wholeBody } from './content.js';

/** A body of text, or of bytes that are text, in one argument. */
export function textBody(argument: string, mediaType = 'text/plain'): BodySpec {
  return bodySpec('text', mediaType, argument, encodeContent);
}

/** The charsets, beside UTF-8, that are written here: their characters are their bytes. */
const HIGHEST: Readonly<Record<string, number>> = { 'us-ascii': 127, 'iso-8859-1': 255, latin1: 255 };

/** Content as it is; text in the charset that the media type names, in UTF-8 where it names none. */
export function encodeContent(spec: BodySpec, given: GivenBody): EncodedBody {
  const content = given.arguments[spec.argument];
  const mediaType = mediaTypeOf(spec, content, given.wanted);
  if (typeof content !== 'string') return encoded(mediaType, bodyOf(content));
  const charset = parameterOf(mediaType, 'charset').toLowerCase();
  if (/^(utf-?8)?$/.test(charset)) {
    const said = charset || spec.kind !== 'text' ? '' : '; charset=utf-8';
    return { mediaType, contentType: mediaType + said, body: bodyOf(content) };
  }
  const highest = HIGHEST[charset] ?? -1;
  const bytes = Uint8Array.from(content, (character) => {
    const code = character.charCodeAt(0);
    if (code <= highest) return code;
    throw new ArgumentError(`${spec.argument} cannot be written in ${charset}; pass bytes`);
  });
  return encoded(mediaType, wholeBody(bytes));
}

/**
 * The media type to send: a range such as `image/*` becomes what was asked for, or what the file says of itself, or,
 * where anything goes, plain bytes.
 */
function mediaTypeOf({ mediaType, argument }: BodySpec, content: unknown, wanted: string): string {
  if (wanted || !mediaType.includes('*')) return mediaType.includes('*') ? wanted : mediaType;
  const type = (content instanceof Blob && content.type) || 'application/octet-stream';
  if (matches(mediaType, essence(type))) return type;
  throw new ArgumentError(`say by ${CHOICE} which of ${mediaType} the ${argument} is`);
}
