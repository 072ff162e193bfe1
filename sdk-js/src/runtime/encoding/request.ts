/** One call as an HTTP request: where it goes, what it carries, and what answer it asks for. */

import type {
  ApiSpec,
  Arguments,
  CallOptions,
  OnProgress,
  Operation,
  ResponseSpec,
  SchemeSpec,
} from '../call.js';
import { essence } from '../media.js';
import type { Invocation } from '../origin.js';
import type { Request } from '../wire.js';
import { CHOICE } from './body.js';
import { type Body, utf8 } from './content.js';
import { checkedHeader, pairOf } from './parameters.js';
import { membersOf } from './values.js';

/** A scheme, and the text that proves it. */
export type Proof = readonly [SchemeSpec, string];

/** What few calls need, from modules that are loaded for them. */
export interface Needed {
  /** Tells how far a body is that is sent: `meteredBody` of progress.ts, for calls that have `onProgress`. */
  readonly meter?: ((body: Body, onProgress: OnProgress) => Body) | undefined;
  /** What `addedBy` of added.ts makes of `extraHeaders` and `extraQuery`. */
  readonly added?: Added | undefined;
}

/** What a caller adds to a request, checked and encoded. */
export interface Added {
  /** By their names in lower case; they replace what is there. */
  readonly headers: ReadonlyMap<string, string>;
  readonly query: readonly string[];
}

/** Of every call; a record, so that none is forgotten. */
const NAMES: Readonly<Record<keyof CallOptions, 1>> = {
  timeoutMs: 1,
  attemptTimeoutMs: 1,
  maxRetries: 1,
  idempotencyKey: 1,
  extraHeaders: 1,
  extraQuery: 1,
  extraBody: 1,
  eventIdleMs: 1,
  resume: 1,
  onProgress: 1,
  strict: 1,
  onAnswer: 1,
  signal: 1,
};

/** Whether every call has such an option. */
export function isOption(name: string): boolean {
  return Object.hasOwn(NAMES, name);
}

/**
 * The request of one call; `newToken` makes up idempotency keys and the boundaries of multipart bodies.
 *
 * Throws `ArgumentError` where the arguments cannot be sent.
 */
export function encodeRequest(
  api: ApiSpec,
  { operation, arguments: args, options, stream }: Invocation,
  proofs: readonly Proof[],
  newToken: () => string,
  { meter, added }: Needed = {},
): Request {
  const { idempotencyKey, onProgress } = options;
  // Only what was given is there, whatever objects inherit.
  const given: Arguments = { __proto__: null, ...args };
  const extra = new Map(added?.headers);
  const preferred = extra.get('content-type') ?? '';
  const body = operation.bodies?.[0]?.choose(operation, given, options.extraBody, preferred, newToken);
  const answers = wanted(operation, body?.mediaType, stream);
  const headers = new Map([
    ['accept', [...new Set(answers.map(acceptable))].join(', ') || '*/*'],
    ['user-agent', `${api.distribution.replace('@', '').replace('/', '-')}/${api.version}`],
  ]);
  if (body) {
    headers.set('content-type', body.contentType);
    // What chose the body does not replace what that says of itself, such as its boundary.
    if (essence(preferred) === essence(body.mediaType)) extra.delete('content-type');
  }
  if (idempotencyKey !== undefined || operation.retry === 'keyed')
    headers.set('idempotency-key', checkedHeader('Idempotency-Key', idempotencyKey || newToken()));
  const query: string[] = [];
  const cookies: string[] = [];
  const path = operation.parameters?.place(operation, given, query, cookies, headers) ?? operation.path;
  query.push(...(added?.query ?? []));
  for (const [{ in: location = 'header', parameter = 'Authorization' }, text] of proofs)
    if (location === 'header') headers.set(parameter.toLowerCase(), text);
    else (location === 'query' ? query : cookies).push(pairOf(parameter, text));
  if (cookies.length) headers.set('cookie', cookies.join('; '));
  for (const [name, text] of extra) headers.set(name, text);
  return {
    method: operation.method,
    // Some APIs tell operations apart by a query in the path itself.
    target: path + (query.length ? (path.includes('?') ? '&' : '?') + query.join('&') : ''),
    // fetch takes bytes: those of UTF-8, one in each character, as they are already in nearly all headers.
    headers: [...headers].map(([name, text]) => [
      name,
      /^[ -~]*$/.test(text) ? text : String.fromCharCode(...utf8(text)),
    ]),
    body: body && (meter && onProgress ? meter(body.body, onProgress) : body.body),
    openEnded: answers.some((spec) => spec.open),
  };
}

/** The answers to ask for: a stream if it is to be one, else what is like the body sent, else JSON, else any. */
function wanted({ responses = [] }: Operation, sent?: string, stream?: boolean): readonly ResponseSpec[] {
  const isSeries = ({ kind }: ResponseSpec) => kind === 'sse' || kind === 'jsonl';
  const offered = narrowed(
    responses.filter((spec) => spec.mediaType),
    (spec) => spec.status[0] === '2',
  );
  const whole = narrowed(offered, (spec) => !isSeries(spec));
  const first =
    (stream && offered.find(isSeries)) ||
    whole.find((spec) => essence(spec.mediaType) === sent) ||
    whole.find((spec) => spec.kind === 'json');
  return first ? [first] : whole;
}

/** Those of one kind, where there are any. */
function narrowed(
  specs: readonly ResponseSpec[],
  isWanted: (spec: ResponseSpec) => boolean,
): readonly ResponseSpec[] {
  const found = specs.filter(isWanted);
  return found.length ? found : specs;
}

function acceptable({ kind, mediaType }: ResponseSpec): string {
  return kind === 'json' && mediaType.includes('*') ? 'application/json' : mediaType;
}

/** Whether the operation has all of the arguments, and calls all of the options. */
export function isKnown({ operation, arguments: args, options }: Invocation): boolean {
  const names = argumentsOf(operation);
  return (
    membersOf(args).every(([name]) => names.has(name)) &&
    membersOf({ ...options }).every(([name]) => isOption(name))
  );
}

/** The names of all that it takes. */
export function argumentsOf({ bodies = [], parameters }: Operation): Set<string> {
  return new Set([CHOICE, ...bodies.flatMap(({ takes }) => takes), ...(parameters?.takes ?? [])]);
}
