/** One call as an HTTP request: where it goes, what it carries, and what answer it asks for. */

import type {
  ApiSpec,
  Arguments,
  CallOptions,
  OnProgress,
  Operation,
  ParameterSpec,
  ResponseSpec,
  SchemeSpec,
} from '../call.js';
import { ArgumentError } from '../errors.js';
import { essence } from '../media.js';
import type { Invocation } from '../origin.js';
import type { Request } from '../wire.js';
import { argumentOf, argumentsOf, CHOICE, encodeBody } from './body.js';
import { type Body, utf8 } from './content.js';
import { checkedHeader, cookiePairs, encode, headerText, pathSegment, queryPairs } from './parameters.js';

/** A scheme, and the text that proves it. */
export type Proof = readonly [SchemeSpec, string];

/** Tells how far a body is that is sent: `meteredBody` of progress.ts, for calls that have `onProgress`. */
export type Meter = (body: Body, onProgress: OnProgress) => Body;

const OPTIONS: Readonly<Record<keyof CallOptions, 1>> = {
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

/**
 * The request of one call; `newToken` makes up idempotency keys and the boundaries of multipart bodies.
 *
 * Throws `ArgumentError` where the arguments cannot be sent, or there is no such argument or option.
 */
export function encodeRequest(
  api: ApiSpec,
  { operation, arguments: given, options, stream }: Invocation,
  proofs: readonly Proof[],
  newToken: () => string,
  meter?: Meter,
): Request {
  refuseUnknown(operation, given, options);
  const body = encodeBody(operation, given, options, newToken);
  const query = valuesOf(operation, given, 'query').flatMap((pair) => queryPairs(...pair));
  for (const [name, value] of Object.entries(options.extraQuery ?? {}))
    query.push(`${encode(name)}=${encode(value)}`);
  const cookies = valuesOf(operation, given, 'cookie').flatMap((pair) => cookiePairs(...pair));
  const answers = wanted(operation, body?.mediaType, stream);
  const headers = new Map([
    ['accept', [...new Set(answers.map(acceptable))].join(', ') || '*/*'],
    ['user-agent', `${api.distribution.replace('@', '').replace('/', '-')}/${api.version}`],
  ]);
  if (body) headers.set('content-type', body.contentType);
  if (options.idempotencyKey !== undefined || operation.retry === 'keyed')
    headers.set('idempotency-key', checkedHeader('Idempotency-Key', options.idempotencyKey || newToken()));
  for (const [spec, value] of valuesOf(operation, given, 'header'))
    headers.set((spec.name ?? spec.argument).toLowerCase(), headerText(spec, value));
  for (const [{ in: location = 'header', parameter = 'Authorization' }, text] of proofs) {
    if (location === 'header') headers.set(parameter.toLowerCase(), text);
    else (location === 'query' ? query : cookies).push(`${encode(parameter)}=${encode(text)}`);
  }
  if (cookies.length) headers.set('cookie', cookies.join('; '));
  // What chose the body does not replace what that says of itself, such as its boundary.
  for (const [name, text] of extraHeaders(options))
    if (name !== 'content-type' || !body || essence(text) !== essence(body.mediaType))
      headers.set(name, text);
  const path = pathOf(operation, given);
  // Some APIs tell operations apart by a query in the path itself.
  const target = query.length ? `${path}${path.includes('?') ? '&' : '?'}${query.join('&')}` : path;
  return {
    method: operation.method,
    target,
    // fetch takes bytes: those of UTF-8, one in each character.
    headers: [...headers].map(([name, text]) => [name, String.fromCharCode(...utf8(text))]),
    body: body && (meter && options.onProgress ? meter(body.body, options.onProgress) : body.body),
    openEnded: answers.some((spec) => spec.open),
  };
}

/** The answers to ask for: a stream if it is to be one, else what is like the body sent, else JSON, else any. */
function wanted({ responses = [] }: Operation, sent?: string, stream?: boolean): ResponseSpec[] {
  const described = responses.filter((spec) => spec.mediaType);
  const good = described.filter((spec) => spec.status[0] === '2');
  const offered = good.length ? good : described;
  const isSeries = ({ kind }: ResponseSpec) => kind === 'sse' || kind === 'jsonl';
  const rest = offered.filter((spec) => !isSeries(spec));
  const whole = rest.length ? rest : offered;
  const first =
    (stream && offered.find(isSeries)) ||
    whole.find((spec) => essence(spec.mediaType) === sent) ||
    whole.find((spec) => spec.kind === 'json');
  return first ? [first] : whole;
}

function acceptable({ kind, mediaType }: ResponseSpec): string {
  return kind === 'json' && mediaType.includes('*') ? 'application/json' : mediaType;
}

/** JavaScript takes any object: a name that nobody reads would be lost without a word. */
function refuseUnknown(operation: Operation, given: Arguments, options: CallOptions): void {
  const { key, bodies = [], parameters = [] } = operation;
  const known = new Set([CHOICE, ...bodies.flatMap(argumentsOf), ...parameters.map((spec) => spec.argument)]);
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && !known.has(name))
      throw new ArgumentError(
        Object.hasOwn(OPTIONS, name)
          ? `${key}: ${name} is an option: pass it in the object after the parameters`
          : `${key}: there is no parameter ${name}`,
      );
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !Object.hasOwn(OPTIONS, name))
      throw new ArgumentError(
        known.has(name)
          ? `${key}: ${name} is a parameter: pass it in the object before the options`
          : `${key}: there is no option ${name}`,
      );
}

/** What the caller adds or replaces, except what says where the body ends. */
function extraHeaders(options: CallOptions): [string, string][] {
  return Object.entries(options.extraHeaders ?? {}).map(([given, text]) => {
    const name = given.toLowerCase();
    // RFC 9110, section 5.6.2.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
      throw new ArgumentError(`extraHeaders holds '${given}', which is not the name of a header`);
    if (/^(content-length|transfer-encoding|connection)$/.test(name))
      throw new ArgumentError(`extraHeaders must not hold ${name}: it follows from the body`);
    return [name, checkedHeader(given, text)];
  });
}

/** The parameters of one location that were given. */
function valuesOf(
  { parameters = [] }: Operation,
  given: Arguments,
  location: ParameterSpec['in'],
): [ParameterSpec, unknown][] {
  return parameters.flatMap((spec) => {
    const value = spec.in === location ? argumentOf(given, spec.argument) : undefined;
    return value === undefined ? [] : [[spec, value]];
  });
}

function pathOf(operation: Operation, given: Arguments): string {
  const values = valuesOf(operation, given, 'path');
  const path = operation.path.replace(/\{(.*?)\}/g, (_, name) => {
    const pair = values.find(([spec]) => (spec.name ?? spec.argument) === name);
    if (pair) return pathSegment(...pair);
    throw new ArgumentError(`${operation.key}: the path parameter ${name} is missing`);
  });
  // Servers and fetch resolve such segments, encoded or not (RFC 3986, section 5.2.4), so that another operation would
  // be called.
  if (/\/(\.|%2e){1,2}([/?]|$)/i.test(path))
    throw new ArgumentError(`${operation.key}: a path parameter must not be '.' or '..'`);
  return path;
}
