/**
 * Everything that a call can be rejected with.
 *
 *     DhatuError
 *     ├── ConfigurationError            the client was set up wrongly
 *     ├── ArgumentError                 a call's arguments cannot be sent
 *     ├── TokenError                    no access token could be had
 *     ├── DiscoveryError                where the API is served could not be found out
 *     ├── BreakerOpenError              refused here, because the server kept failing
 *     ├── TransportError                no answer arrived
 *     │   ├── ConnectionFailedError     nothing was sent
 *     │   │   └── ConnectTimeoutError
 *     │   ├── ConnectionLostError       the connection broke after sending had begun
 *     │   └── CallTimeoutError          no answer, or not all of it, in time
 *     │       └── DeadlineExceededError the time for the whole call, retries included, ran out
 *     ├── DecodingError                 an answer arrived that does not match the API's description
 *     ├── ChecksumError                 a download arrived that does not match its checksum
 *     ├── PaginationError               the pages of a list go round in circles
 *     ├── JobFailedError                work that an operation began did not succeed
 *     ├── JobTimeoutError               ... or did not end in time
 *     └── APIStatusError                an answer arrived that says no
 *         ├── BadRequestError           400
 *         ├── AuthenticationError       401
 *         ├── PermissionDeniedError     403
 *         ├── NotFoundError             404
 *         ├── ConflictError             409
 *         ├── ContentTooLargeError      413
 *         ├── UnsupportedMediaTypeError 415
 *         ├── UnprocessableEntityError  422
 *         ├── RateLimitedError          429
 *         ├── ServerError               5xx
 *         └── StreamError               said in the middle of a stream that had begun as a success
 *
 * No message holds a credential, a header, a query or a body. A call that its caller aborts is rejected with the
 * reason of the signal, which is none of these.
 */

import type { FieldError, Problem } from './problem.js';

/** The root of all errors of this package. */
export class DhatuError extends Error {
  /** That of the class: `RateLimitedError`; a bundler that shortens names shortens it too, so test by `instanceof`. */
  override get name(): string {
    return this.constructor.name;
  }
}

/** The client was set up in a way that cannot work. */
export class ConfigurationError extends DhatuError {}

/** The arguments of a call cannot be sent; nothing was. */
export class ArgumentError extends DhatuError {}

/** What the provider of tokens said. */
export interface TokenRefusal {
  /** `invalid_client` and the like (RFC 6749, section 5.2); empty where none was given. */
  readonly error?: string;
  /** What the server said for people, secrets removed. */
  readonly description?: string;
  /** Of the answer; 0 where none arrived. */
  readonly status?: number;
}

/**
 * No access token could be had: where tokens come from refused, failed or made no sense.
 *
 * Nothing was sent to the API itself.
 */
export class TokenError extends DhatuError {
  readonly error: string;
  readonly description: string;
  readonly status: number;

  constructor(
    message: string,
    { error = '', description = '', status = 0 }: TokenRefusal = {},
    cause?: unknown,
  ) {
    const said = [error, description].filter(Boolean).join(': ');
    super(`no access token: ${message}${said && `: ${said}`}`, { cause });
    this.error = error;
    this.description = description;
    this.status = status;
  }
}

/** A provider of endpoints could not find out where the API is served; nothing was sent to it. */
export class DiscoveryError extends DhatuError {}

/** The call was refused here, without asking the server, because it kept failing. */
export class BreakerOpenError extends DhatuError {
  readonly operation: string;
  /** Milliseconds until the next call is let through. */
  readonly retryAfterMs: number;

  constructor(operation: string, retryAfterMs: number) {
    super(
      `${operation}: not sent, because the server failed too often in a row; try again in ${(retryAfterMs / 1000).toFixed(1)} s`,
    );
    this.operation = operation;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No complete answer arrived. */
export class TransportError extends DhatuError {
  readonly operation: string;
  /** The first try and its retries. */
  readonly attempts: number;

  constructor(message: string, operation: string, attempts: number, cause?: unknown) {
    super(`${operation}: ${message}${after(attempts)}`, { cause });
    this.operation = operation;
    this.attempts = attempts;
  }
}

/** No connection could be made; nothing was sent, so that the call is safe to repeat. */
export class ConnectionFailedError extends TransportError {}

/** No connection could be made in time; nothing was sent. */
export class ConnectTimeoutError extends ConnectionFailedError {}

/** The connection broke; the server may or may not have acted. */
export class ConnectionLostError extends TransportError {}

/** The time for the call ran out; the server may or may not have acted. */
export class CallTimeoutError extends TransportError {}

/** The time for the whole call, attempts and waits included, ran out; there was none left to try again. */
export class DeadlineExceededError extends CallTimeoutError {}

/** An answer arrived that does not match the API's description. */
export class DecodingError extends DhatuError {
  readonly operation: string;
  readonly status: number;
  readonly requestId: string;

  constructor(message: string, operation: string, status: number, requestId = '', cause?: unknown) {
    super(`${operation}: ${message}${quoting(requestId)}`, { cause });
    this.operation = operation;
    this.status = status;
    this.requestId = requestId;
  }
}

/** A download arrived that does not match its checksum; nothing was left where it was to be saved. */
export class ChecksumError extends DhatuError {
  readonly operation: string;
  /** `sha256` and the like. */
  readonly algorithm: string;
  /** Who said what it should be: a header of the answer, or the `checksum` of the caller. */
  readonly source: string;
  readonly requestId: string;

  constructor(operation: string, algorithm: string, source: string, requestId = '') {
    super(
      `${operation}: what arrived does not match the ${algorithm} of ${source}; download it again${quoting(requestId)}`,
    );
    this.operation = operation;
    this.algorithm = algorithm;
    this.source = source;
    this.requestId = requestId;
  }
}

/** The server points to a page that was read already, so that its list has no end. */
export class PaginationError extends DhatuError {
  readonly operation: string;

  constructor(message: string, operation: string) {
    super(`${operation}: ${message}`);
    this.operation = operation;
  }
}

/** Work that an operation began did not succeed. */
export class JobFailedError<T = unknown> extends DhatuError {
  readonly operation: string;
  /** The answer that told so. */
  readonly job: T;
  readonly state: string;
  /** Why, in the server's words; empty where it gave none. */
  readonly reason: string;

  constructor(operation: string, job: T, state: string, reason = '') {
    super(`${operation}: the job ended as ${state}${reason && `: ${reason}`}`);
    this.operation = operation;
    this.job = job;
    this.state = state;
    this.reason = reason;
  }
}

/** Work that an operation began did not end in the time that the caller gave it; it may go on. */
export class JobTimeoutError<T = unknown> extends DhatuError {
  readonly operation: string;
  /** How it was last. */
  readonly job: T;

  constructor(operation: string, job: T, timeoutMs: number) {
    super(`${operation}: the job did not end within ${timeoutMs / 1000} s; it may still go on`);
    this.operation = operation;
    this.job = job;
  }
}

/** What is known of an answer that says no. */
export interface Refusal {
  readonly operation: string;
  readonly status: number;
  /** What the server said (RFC 9457); made up from the status where it said nothing readable. */
  readonly problem: Problem;
  readonly headers: Headers;
  /** Milliseconds the server asked to wait; undefined where it did not ask. */
  readonly retryAfterMs: number | undefined;
  /** The first try and its retries. */
  readonly attempts: number;
}

/** The server answered with a status that is not a success. */
export class APIStatusError extends DhatuError implements Refusal {
  declare readonly operation: string;
  declare readonly status: number;
  declare readonly problem: Problem;
  declare readonly headers: Headers;
  /** Names this request in the server's logs; empty where the server gave none. */
  declare readonly requestId: string;
  declare readonly retryAfterMs: number | undefined;
  declare readonly attempts: number;

  constructor(refusal: Refusal, advice = '') {
    const { operation, status, problem, headers, retryAfterMs, attempts } = refusal;
    const requestId = headers.get('x-request-id') || problem.requestId;
    const wait = retryAfterMs === undefined ? '' : ` (Retry-After: ${retryAfterMs / 1000} s)`;
    super(
      `${operation}: ${status} ${summary(problem)}${advice}${wait}${after(attempts)}${quoting(requestId)}`,
    );
    Object.assign(this, refusal, { requestId });
    // A headers object prints what it holds.
    Object.defineProperty(this, 'headers', { enumerable: false });
  }

  /** Every part of the request that was refused. */
  get errors(): readonly FieldError[] {
    return this.problem.errors;
  }
}

/** 400: the request does not match the API; `errors` names each part. */
export class BadRequestError extends APIStatusError {}

/** 401: no valid credential was sent. */
export class AuthenticationError extends APIStatusError {
  constructor(refusal: Refusal) {
    super(refusal, '; check the apiKey or token (or auth) that the client was given');
  }
}

/** 403: the credential does not allow this. */
export class PermissionDeniedError extends APIStatusError {}

/** 404: there is no such thing. */
export class NotFoundError extends APIStatusError {}

/** 409: the request does not fit the present state. */
export class ConflictError extends APIStatusError {}

/** 413: the body is larger than the operation takes. */
export class ContentTooLargeError extends APIStatusError {}

/** 415: the operation does not take this kind of body. */
export class UnsupportedMediaTypeError extends APIStatusError {}

/** 422: understood, but refused. */
export class UnprocessableEntityError extends APIStatusError {}

/** 429: too many calls; `retryAfterMs` says when to come back. */
export class RateLimitedError extends APIStatusError {}

/** 5xx: the server failed. */
export class ServerError extends APIStatusError {}

/**
 * An error among the items of a stream, which ends there.
 *
 * `status` is what the error says of itself, else that of the answer, which had begun as a success.
 */
export class StreamError extends APIStatusError {
  constructor(refusal: Refusal) {
    super(refusal, ' (in the middle of the stream)');
  }
}

const BY_STATUS: Readonly<Record<number, new (refusal: Refusal) => APIStatusError>> = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  413: ContentTooLargeError,
  415: UnsupportedMediaTypeError,
  422: UnprocessableEntityError,
  429: RateLimitedError,
};

/** The class that speaks for a status. */
export function errorClass(status: number): new (refusal: Refusal) => APIStatusError {
  return status >= 500 ? ServerError : (BY_STATUS[status] ?? APIStatusError);
}

const MAX_PARTS = 5;

/** One line: the title, and the refused parts or else the detail. */
export function summary({ title, detail, errors }: Problem): string {
  const parts = errors.map((part) => `${part.location} ${part.name} ${part.detail}`.trim());
  const more = parts.splice(MAX_PARTS).length;
  if (more) parts.push(`and ${more} more`);
  return [title, parts.join('; ') || detail.replace(/\.$/, '')].filter(Boolean).join(': ');
}

function after(attempts: number): string {
  return attempts > 1 ? ` (after ${attempts} attempts)` : '';
}

function quoting(requestId: string): string {
  return requestId && ` [request id ${requestId}]`;
}
