/** Which body to send, and how: JSON, form, multipart, JSON Lines, text or bytes. */

import type { Arguments, BodySpec, CallOptions, FieldSpec, Operation, PayloadKind } from '../call.js';
import { ArgumentError } from '../errors.js';
import { essence, matches } from '../media.js';
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

/** A member whose argument has its name, or what else there is to say of it. */
export type Field = string | FieldSpec;

/** Argument that says which media type a body is of, where the operation takes a range of them. */
export const CHOICE = 'contentType';

/**
 * The body that the arguments ask for; undefined where there is none.
 *
 * A Content-Type among the extra headers chooses among bodies that take the same arguments. Throws `ArgumentError`
 * where they ask for none that the operation takes.
 */
export function encodeBody(
  operation: Operation,
  given: Arguments,
  options: CallOptions,
  newToken: () => string,
): EncodedBody | undefined {
  const extra = options.extraBody;
  const wanted = wantedType(operation, given);
  const spec = choose(operation, given, options, wanted);
  if (!spec) return undefined;
  if (extra && !spec.fields.length)
    throw new ArgumentError(`extraBody adds members to an object, but the body is whole (${spec.mediaType})`);
  const mediaType = mediaTypeOf(spec, given, wanted);
  return spec.encode(spec, { arguments: given, extra: extra ?? {}, mediaType, newToken });
}

/** The arguments that a body takes. */
export function argumentsOf(spec: BodySpec): string[] {
  return spec.fields.length ? spec.fields.map((field) => field.argument) : [spec.argument];
}

/** An argument that was given; undefined for one that was not, whatever objects inherit. */
export function argumentOf(given: Arguments, name: string): unknown {
  return Object.hasOwn(given, name) ? given[name] : undefined;
}

/** The first body that takes every body argument that was given, of the preferred media type if any is. */
function choose(
  { key, bodies = [], bodyRequired }: Operation,
  given: Arguments,
  { extraBody, extraHeaders = {} }: CallOptions,
  wanted: string,
): BodySpec | undefined {
  const names = [...new Set(bodies.flatMap(argumentsOf))].filter(
    (name) => argumentOf(given, name) !== undefined,
  );
  if (!names.length) {
    const object = bodies.find((spec) => spec.fields.length);
    if (object && (extraBody || bodyRequired)) return object;
    if (bodies.length && bodyRequired)
      throw new ArgumentError(`${key}: a body is needed; give ${alternatives(bodies)}`);
    return undefined;
  }
  const said = Object.entries(extraHeaders).find(([name]) => name.toLowerCase() === 'content-type');
  const preferred = essence(said?.[1] ?? '');
  const fitting = bodies.filter(
    (spec) =>
      names.every((name) => argumentsOf(spec).includes(name)) &&
      (spec.fields.length || !wanted || matches(spec.mediaType, wanted)),
  );
  const chosen = fitting.find((spec) => matches(spec.mediaType, preferred)) ?? fitting[0];
  if (chosen) return chosen;
  throw new ArgumentError(
    `${key}: ${names.sort().join(' and ')} cannot be sent${names.length > 1 ? ' together' : ''}${
      wanted && ` as ${wanted}`
    }; give ${alternatives(bodies)}`,
  );
}

/** The media type that the caller chose, where the operation leaves a choice. */
function wantedType({ bodies = [], parameters = [] }: Operation, given: Arguments): string {
  const chosen = argumentOf(given, CHOICE);
  const claimed = [...bodies.flatMap(argumentsOf), ...parameters.map(({ argument }) => argument)];
  return typeof chosen === 'string' && !claimed.includes(CHOICE) ? chosen : '';
}

function alternatives(bodies: readonly BodySpec[]): string {
  return bodies.map((spec) => `${argumentsOf(spec).join(', ')} (${spec.mediaType})`).join(', or ');
}

/**
 * The media type to send: a range such as `image/*` becomes what was asked for, or what the file says of itself, or,
 * where anything goes, plain bytes.
 */
function mediaTypeOf({ mediaType, kind, argument }: BodySpec, given: Arguments, wanted: string): string {
  if (!mediaType.includes('*')) return mediaType;
  if (kind === 'json') return 'application/json';
  const content = given[argument];
  const guessed = wanted || (content instanceof Blob && content.type) || 'application/octet-stream';
  if (!wanted && !matches(mediaType, essence(guessed)))
    throw new ArgumentError(`say which of ${mediaType} the ${argument} is: ${CHOICE} is missing`);
  return guessed;
}

/** A body whose Content-Type says no more than its media type. */
export function encoded(mediaType: string, body: Body): EncodedBody {
  return { mediaType, contentType: mediaType, body };
}

/** The members of an object body that were given and added, under their wire names. */
export function memberValues(spec: BodySpec, given: GivenBody): Readonly<Record<string, unknown>> {
  const members = spec.fields.map((field) => [
    field.name ?? field.argument,
    argumentOf(given.arguments, field.argument),
  ]);
  return { ...Object.fromEntries(members), ...given.extra };
}

/** A description of a body, from its members or the one argument that is all of it. */
export function bodySpec(
  kind: PayloadKind,
  mediaType: string,
  source: readonly Field[] | string,
  encode: BodyEncoder,
): BodySpec {
  return typeof source === 'string'
    ? { mediaType, kind, fields: [], argument: source, encode }
    : {
        mediaType,
        kind,
        fields: source.map((field) => (typeof field === 'string' ? { argument: field } : field)),
        argument: '',
        encode,
      };
}
