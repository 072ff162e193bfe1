/**
 * Errors that are noticed here: nothing was sent, nothing arrived, or not what was described.
 *
 * Their members are declared, and only assigned: a bundle has no second mention of each.
 */

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
  declare readonly error: string;
  declare readonly description: string;
  declare readonly status: number;

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
  declare readonly operation: string;
  /** Milliseconds until the next call is let through. */
  declare readonly retryAfterMs: number;

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
  declare readonly operation: string;
  /** The first try and its retries. */
  declare readonly attempts: number;

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
  declare readonly operation: string;
  declare readonly status: number;
  declare readonly requestId: string;

  constructor(message: string, operation: string, status: number, requestId = '', cause?: unknown) {
    super(`${operation}: ${message}${quoting(requestId)}`, { cause });
    this.operation = operation;
    this.status = status;
    this.requestId = requestId;
  }
}

/** A download arrived that does not match its checksum; nothing was left where it was to be saved. */
export class ChecksumError extends DhatuError {
  declare readonly operation: string;
  /** `sha256` and the like. */
  declare readonly algorithm: string;
  /** Who said what it should be: a header of the answer, or the `checksum` of the caller. */
  declare readonly source: string;
  declare readonly requestId: string;

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
  declare readonly operation: string;

  constructor(message: string, operation: string) {
    super(`${operation}: ${message}`);
    this.operation = operation;
  }
}

/** Work that an operation began did not succeed. */
export class JobFailedError<T = unknown> extends DhatuError {
  declare readonly operation: string;
  /** The answer that told so. */
  declare readonly job: T;
  declare readonly state: string;
  /** Why, in the server's words; empty where it gave none. */
  declare readonly reason: string;

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
  declare readonly operation: string;
  /** How it was last. */
  declare readonly job: T;

  constructor(operation: string, job: T, timeoutMs: number) {
    super(`${operation}: the job did not end within ${timeoutMs / 1000} s; it may still go on`);
    this.operation = operation;
    this.job = job;
  }
}

/** How often it was tried, where that is more than once. */
export function after(attempts: number): string {
  return attempts > 1 ? ` (after ${attempts} attempts)` : '';
}

/** What the server calls the request, where it does. */
export function quoting(requestId: string): string {
  return requestId && ` [request id ${requestId}]`;
}
