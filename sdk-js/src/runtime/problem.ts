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
  const { errors } = members;
  return {
    type: said(members, 'type') || 'about:blank',
    title: said(members, 'title') || phrase(status),
    status,
    detail: said(members, 'detail'),
    instance: said(members, 'instance'),
    requestId: said(members, 'request_id'),
    errors: (Array.isArray(errors) ? errors : []).filter(isObject).map((part) => ({
      location: said(part, 'location'),
      name: said(part, 'name'),
      detail: said(part, 'detail'),
    })),
    members,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function said(members: Readonly<Record<string, unknown>>, name: string): string {
  const value = members[name];
  return typeof value === 'string' ? value : '';
}

/** HTTP/2 sends none (RFC 9110, section 15). */
const PHRASES = [
  'Bad Request,Unauthorized,Payment Required,Forbidden,Not Found,Method Not Allowed,Not Acceptable,Proxy Authentication Required,Request Timeout,Conflict,Gone,Length Required,Precondition Failed,Content Too Large,URI Too Long,Unsupported Media Type,Range Not Satisfiable,Expectation Failed,,,,Misdirected Request,Unprocessable Content,Locked,Failed Dependency,Too Early,Upgrade Required,,Precondition Required,Too Many Requests',
  'Internal Server Error,Not Implemented,Bad Gateway,Service Unavailable,Gateway Timeout,HTTP Version Not Supported',
];

function phrase(status: number): string {
  return PHRASES[Math.floor(status / 100) - 4]?.split(',')[status % 100] || 'Unknown status';
}

function short(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
