/** Which body to send, and how: JSON, form, multipart, JSON Lines, text or bytes. */

import type { Arguments, BodySpec, FieldSpec, Operation, PayloadKind } from '../call.js';
import { ArgumentError } from '../errors/local.js';
import { essence, matches } from '../media.js';
import type { Body } from './content.js';

/** A body and its Content-Type. */
export interface EncodedBody {
  /** Without parameters: what an answer of the same kind is chosen by. */
  readonly mediaType: string;
  readonly contentType: string;
  readonly body: Body;
}

/** Chooses among the bodies of an operation, and writes it: `encodeBody`. */
export type BodyChooser = (
  operation: Operation,
  given: Arguments,
  extra: GivenBody['extra'] | undefined,
  preferred: string,
  newToken: () => string,
) => EncodedBody | undefined;

/** Writes the body of one media type; throws `ArgumentError`. */
export type BodyEncoder = (spec: BodySpec, given: GivenBody) => EncodedBody;

/** What a body is written from. */
export interface GivenBody {
  /** Without a prototype, so that only what was given is found. */
  readonly arguments: Arguments;
  /** Members added by the caller, beside the arguments. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** The media type that the caller chose in the range of the spec; empty where there is no choice, or none was made. */
  readonly wanted: string;
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
 * `preferred`, the caller's own Content-Type, chooses among bodies that take the same arguments. Throws `ArgumentError`
 * where they ask for none that the operation takes.
 */
const encodeBody: BodyChooser = (
  { key, bodies = [], bodyRequired, parameters },
  given,
  extra,
  preferred,
  newToken,
) => {
  const taken = bodies.flatMap(({ takes }) => takes);
  const names = [...new Set(taken)].filter((name) => given[name] !== undefined);
  if (!names.length && !bodyRequired && !extra) return undefined;
  // The media type that the caller chose, where the operation leaves a choice.
  const claimed = [...taken, ...(parameters?.takes ?? [])].includes(CHOICE);
  const wanted = claimed ? '' : String(given[CHOICE] ?? '');
  const fitting = bodies.filter(
    (spec) =>
      names.every((name) => spec.takes.includes(name)) &&
      (spec.fields.length || (names.length && (!wanted || matches(spec.mediaType, wanted)))),
  );
  const spec = fitting.find(({ mediaType }) => matches(mediaType, essence(preferred))) ?? fitting[0];
  if (!spec) {
    if (!names.length && !bodyRequired) return undefined;
    const choices = bodies.map((one) => `${one.takes.join(', ')} (${one.mediaType})`);
    throw new ArgumentError(
      `${key}: the body must be one of: ${choices.join('; ')}; given: ${names.join(' and ') || 'none'}${wanted && ` as ${wanted}`}`,
    );
  }
  if (extra && !spec.fields.length)
    throw new ArgumentError(
      `${key}: extraBody adds members to an object, but ${spec.argument} is the whole body`,
    );
  return spec.encode(spec, {
    arguments: given,
    extra: extra ?? {},
    wanted,
    newToken,
  });
};

/** A body whose Content-Type says no more than its media type. */
export function encoded(mediaType: string, body: Body): EncodedBody {
  return { mediaType, contentType: mediaType, body };
}

/** The members of an object body that were given and added, under their wire names. */
export function memberValues({ fields }: BodySpec, given: GivenBody): Readonly<Record<string, unknown>> {
  const members = fields.map(({ argument, name = argument }) => [name, given.arguments[argument]]);
  return { ...Object.fromEntries(members), ...given.extra };
}

/** A description of a body, from its members or the one argument that is all of it. */
export function bodySpec(
  kind: PayloadKind,
  mediaType: string,
  source: readonly Field[] | string,
  encode: BodyEncoder,
): BodySpec {
  const [members, argument] = typeof source === 'string' ? [[], source] : [source, ''];
  const fields = members.map((field) => (typeof field === 'string' ? { argument: field } : field));
  const takes = members.length ? fields.map((field) => field.argument) : [argument];
  return { mediaType, kind, fields, argument, takes, encode, choose: encodeBody };
}
