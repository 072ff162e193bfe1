/** Problem details (RFC 9457), read leniently: a broken error body must not hide the error. */

/** One part of the request that was refused. */
export interface FieldError {
  /** body, path, query, header or cookie. */
  readonly location: string;
  /** Name of the parameter, or the JSON Pointer (RFC 6901) into the body. */
  readonly name: string;
  readonly detail: string;
}

/** What went wrong, in the server's words. */
export interface Problem {
  /** A URI; `about:blank` where the server gave none. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly requestId: string;
  readonly errors: readonly FieldError[];
  /** All members of the problem, as they came. */
  readonly members: Readonly<Record<string, unknown>>;
}
