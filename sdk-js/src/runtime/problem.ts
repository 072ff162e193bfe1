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

const MAX_TEXT = 500;

/** The problem that an error's body describes, or one made up from the status and its first line. */
export function readProblem(status: number, content: Uint8Array): Problem {
  const text = new TextDecoder().decode(content).trim();
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? problemOf(status, body) : madeUp(status, JSON.stringify(body));
  } catch {
    return madeUp(status, text.split('\n', 1)[0] ?? '');
  }
}

function madeUp(status: number, detail: string): Problem {
  return { ...problemOf(status, { detail: short(detail) }), members: {} };
}

/** The problem that the members of an object describe. */
export function problemOf(status: number, members: Readonly<Record<string, unknown>>): Problem {
  const text = (name: string, of: Readonly<Record<string, unknown>> = members) => {
    const value = of[name];
    return typeof value === 'string' ? value : '';
  };
  const { errors } = members;
  return {
    type: text('type') || 'about:blank',
    title: text('title') || phrase(status),
    status,
    detail: text('detail'),
    instance: text('instance'),
    requestId: text('request_id'),
    errors: (Array.isArray(errors) ? errors : []).filter(isObject).map((part) => ({
      location: text('location', part),
      name: text('name', part),
      detail: text('detail', part),
    })),
    members,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** HTTP/2 sends none (RFC 9110, section 15); of those that nobody sends, the number has to do. */
const PHRASES =
  '400 Bad Request,401 Unauthorized,403 Forbidden,404 Not Found,405 Method Not Allowed,406 Not Acceptable,408 Request Timeout,409 Conflict,410 Gone,412 Precondition Failed,413 Content Too Large,415 Unsupported Media Type,422 Unprocessable Content,429 Too Many Requests,500 Internal Server Error,501 Not Implemented,502 Bad Gateway,503 Service Unavailable,504 Gateway Timeout';

function phrase(status: number): string {
  return new RegExp(`${status} ([^,]+)`).exec(PHRASES)?.[1] ?? 'Unknown status';
}

function short(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
