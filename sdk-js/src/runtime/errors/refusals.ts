/** Errors that a server answers with. In bundles that name none of them they are loaded with the first one. */

import type { FieldError, Problem } from '../problem.js';
import { after, DhatuError, quoting } from './local.js';

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
