/** Which body to send, and how: JSON, form, multipart, JSON Lines, text or bytes. */

import type { Arguments, BodySpec } from '../call.js';
import type { Body } from './content.js';

/** A body and its Content-Type. */
export interface EncodedBody {
  /** Without parameters: what an answer of the same kind is chosen by. */
  readonly mediaType: string;
  readonly contentType: string;
  readonly body: Body;
}

/** Writes the body of one media type; throws `ArgumentError`. */
export type BodyEncoder = (spec: BodySpec, given: GivenBody) => EncodedBody;

/** What a body is written from. */
export interface GivenBody {
  readonly arguments: Arguments;
  /** Members added by the caller, beside the arguments. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** The media type to send: that of the spec, or the one that the caller chose in its range. */
  readonly mediaType: string;
  /** Makes up boundaries. */
  readonly newToken: () => string;
}
