/** What a generated function hands to the runtime: a frozen description of the operation, and the arguments. */

import type { Shape } from './answers/shapes.js';
import type { StreamOpener } from './answers/streamed.js';
import type { BodyChooser, BodyEncoder } from './encoding/body.js';
import type { ParameterWriter } from './encoding/parameters.js';
import type { Placer } from './encoding/placed.js';
import type { GoesOn } from './origin.js';
import type { APIPromise } from './promise.js';

/** How safe it is to make a call again. */
export type RetryClass = 'safe' | 'idempotent' | 'keyed' | 'never';

/** How a body is written. */
export type PayloadKind = 'json' | 'jsonl' | 'sse' | 'form' | 'multipart' | 'text' | 'binary';

/** What came with a successful answer, beside its body. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
  /** The first try and its retries. */
  readonly attempts: number;
  /** Names this request in the server's logs; empty where the server gave none. */
  readonly requestId: string;
}

/** How far an upload or a download is. */
export interface Progress {
  /** Sent or received by this attempt; of a download that was resumed, with what was there before. */
  readonly doneBytes: number;
  /** Undefined where nobody knows. */
  readonly totalBytes: number | undefined;
}

/** Is told how far an upload or a download is. */
export type OnProgress = (progress: Progress) => void;

/** Options that every method takes. */
export interface CallOptions {
  /**
   * Time for the whole call, retries and waits included, in milliseconds; for a streamed answer until it begins, and
   * then for each piece.
   *
   * @default the operation's own, from the API's description
   */
  timeoutMs?: number;
  /**
   * Time for each attempt, in milliseconds.
   *
   * @default all that is left of `timeoutMs`
   */
  attemptTimeoutMs?: number;
  /**
   * Retries after the first attempt; 0 turns them off.
   *
   * @default 2
   */
  maxRetries?: number;
  /**
   * Sent as `Idempotency-Key`, the same on every attempt.
   *
   * @default one that is made up, where the operation needs one
   */
  idempotencyKey?: string;
  /**
   * `Accept` among them chooses among the media types of the answer, `Content-Type` among those of the body.
   */
  extraHeaders?: Readonly<Record<string, string>>;
  extraQuery?: Readonly<Record<string, string>>;
  /** Members added to a body that is an object, a form or in parts. */
  extraBody?: Readonly<Record<string, unknown>>;
  /**
   * Longest time from one event of a stream to the next, or between two pieces of a download, in milliseconds;
   * comments that keep the connection alive do not count.
   *
   * @default the time for the call
   */
  eventIdleMs?: number;
  /**
   * False: a stream or a download that breaks off is not gone on with.
   *
   * @default true
   */
  resume?: boolean;
  /** Called with the progress of the body that is sent; begins at 0 again with each attempt. */
  onProgress?: OnProgress;
  /**
   * True: an answer with a value or a variant that the API's description does not know is a `DecodingError`;
   * otherwise it is kept as it came, so that a newer server can be read.
   *
   * @default false
   */
  strict?: boolean;
  /** Called with status and headers of a successful answer, before its body is understood. */
  onAnswer?: (head: AnswerHead) => void;
  /** Ends the call when it fires: the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
}

/** Where one argument goes outside the body, in the style that its place has by default. */
export interface PlainParameter {
  /** Name of the argument. */
  readonly argument: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  /** Name on the wire, if not that of the argument. */
  readonly name?: string;
  readonly style?: never;
  readonly explode?: never;
  readonly allowReserved?: never;
  readonly contentType?: never;
  readonly write?: never;
}

/**
 * Where one argument goes outside the body, in another style than simple, not exploded, in the path and in headers, and
 * form, exploded, in the query and in cookies.
 */
export interface StyledParameter {
  readonly argument: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly name?: string;
  /** @default 'form' */
  readonly style?: string;
  /** @default true */
  readonly explode?: boolean;
  readonly allowReserved?: boolean;
  /** Media type of a `content` parameter, which travels serialised. */
  readonly contentType?: string;
  /** `styled`: named here, so that a bundle without such parameters does without it. */
  readonly write: ParameterWriter;
}

export type ParameterSpec = PlainParameter | StyledParameter;

/** The arguments outside the body. Made by `placed`, so that a bundle without any does without what places them. */
export interface PlacedParameters {
  readonly specs: readonly ParameterSpec[];
  /** Their arguments. */
  readonly takes: readonly string[];
  readonly place: Placer;
}

/** One member of an object, form or multipart body. */
export interface FieldSpec {
  readonly argument: string;
  /** Name on the wire, if not that of the argument. */
  readonly name?: string;
  /** Of a multipart part or a form's value, where the spec sets it: perhaps several, or a range. */
  readonly contentType?: string;
  /** True for a multipart part that takes file content. */
  readonly file?: boolean;
  /** As of a query parameter, where the spec says so instead of a content type. */
  readonly style?: string;
  /** @default false */
  readonly explode?: boolean;
  readonly allowReserved?: boolean;
}

/**
 * One media type that the body may have; the first whose arguments were given is sent.
 *
 * Made by `jsonBody`, `textBody`, `bytesBody`, `linesBody`, `formBody` or `multipartBody`, so that a bundle holds only the
 * encoders that its operations need.
 */
export interface BodySpec {
  readonly mediaType: string;
  readonly kind: PayloadKind;
  /** Arguments that become members of the body. */
  readonly fields: readonly FieldSpec[];
  /** The one argument that is the whole body, where there are no fields. */
  readonly argument: string;
  /** The arguments of all fields, or that one. */
  readonly takes: readonly string[];
  readonly encode: BodyEncoder;
  /** The same for all: here so that a bundle without bodies does without it. */
  readonly choose: BodyChooser;
}

/**
 * How one kind of answer is understood.
 *
 * Made by `jsonAnswer`, `emptyAnswer`, `textAnswer`, `bytesAnswer`, `eventsAnswer` or `linesAnswer`, so that a bundle holds only the readers that its operations need.
 */
export interface ResponseSpec {
  /** `200`, a range such as `2XX`, or `default`. */
  readonly status: string;
  /** Empty where the answer has no body. */
  readonly mediaType: string;
  readonly kind: PayloadKind | 'empty';
  /** What the value is like, or one item of it for jsonl and sse; undefined for any JSON value. */
  readonly shape?: Shape | undefined;
  /** How a whole body is understood; undefined for JSON. */
  readonly read?: (contentType: string, content: Uint8Array) => unknown;
  /** How a body is opened that is read as it arrives; undefined for one that is read whole. */
  readonly open?: StreamOpener | undefined;
}

/**
 * One operation, whose answer is a `T`.
 *
 * @typeParam T what the promise of a call holds
 * @typeParam P the promise itself, which can do more where the answer is a page
 */
export interface Operation<T = unknown, P extends APIPromise<T> = APIPromise<T>> {
  /** `corpus.search`: for logs and errors. */
  readonly key: string;
  readonly method: string;
  /** Template: `/api/v1/corpus/documents/{id}`. */
  readonly path: string;
  readonly parameters?: PlacedParameters;
  readonly bodies?: readonly BodySpec[];
  readonly bodyRequired?: boolean;
  readonly responses?: readonly ResponseSpec[];
  /** Alternatives of scheme keys needed together; none where anybody may call. */
  readonly security?: readonly (readonly string[])[];
  /** @default 'never' */
  readonly retry?: RetryClass;
  /** @default 60_000 */
  readonly timeoutMs?: number;
  /** What to say to a caller of a deprecated operation. */
  readonly deprecated?: string;
  /** Where it is served, if not where the API is; a path alone is taken from there. */
  readonly baseURL?: string;
  /** How the answer leads to further calls: a page or a job. */
  readonly goesOn?: GoesOn | undefined;
  /** Carries the types of the answer; never there at run time. */
  readonly answers?: readonly [T, P];
}

/** Argument name to value; one that is undefined was not given. */
export type Arguments = Readonly<Record<string, unknown>>;

/** One way to obtain the tokens of a scheme: where to ask, and how (RFC 6749 unless it says otherwise). */
export interface GrantSpec {
  /** client_credentials, refresh_token, password, or another that the API has, such as api_key. */
  readonly kind: string;
  /** One that is not whole is taken from where the API is: `api/v1/auth/token`. */
  readonly url: string;
  /** Whether the request travels as JSON instead of as a form. */
  readonly json?: boolean;
  /**
   * Whether the request holds `grant_type`.
   *
   * @default true
   */
  readonly saysKind?: boolean;
  /** Whether scopes travel as a list instead of separated by spaces. */
  readonly listsScopes?: boolean;
  /** What the API calls members of request and answer otherwise: `{scope: 'scopes'}`. */
  readonly names?: Readonly<Record<string, string>>;
}

/** How one security scheme travels. */
export interface SchemeSpec {
  /** As operations name it in `security`. */
  readonly key: string;
  /**
   * api_key: `apiKey` goes as it is where `in` and `parameter` say. bearer: `token` goes in Authorization (HTTP
   * bearer, OAuth2, OpenID Connect). basic: `username` and `password` do (RFC 7617). http: what `credentials` holds
   * does, after the name of the scheme. other: satisfied outside the SDK, as a client certificate is.
   */
  readonly kind: 'api_key' | 'bearer' | 'basic' | 'http' | 'other';
  /** @default 'header' */
  readonly in?: 'header' | 'query' | 'cookie';
  /**
   * Name of the header, query parameter or cookie.
   *
   * @default 'Authorization'
   */
  readonly parameter?: string;
  /** Of http: `Token`. */
  readonly scheme?: string;
  /** Of bearer: how its tokens are obtained, where the API's description says so. */
  readonly grants?: readonly GrantSpec[];
  /** Of bearer: where OpenID Connect tells how its tokens are obtained. */
  readonly discoveryURL?: string;
}

/** What the runtime has to know of the API as a whole. */
export interface ApiSpec {
  /** Name of the client class, for messages: `DhatuAPI`. */
  readonly client: string;
  /** `@dhatu/client`: begins the User-Agent, without `@` and with a dash for the slash. */
  readonly distribution: string;
  /** Version of the distribution. */
  readonly version: string;
  /** The first server of the spec; empty where it names none. */
  readonly baseURL: string;
  /** `DHATU`, as in `DHATU_API_KEY`; empty where the environment is not read. */
  readonly environmentPrefix: string;
  /** `X-Dhatu-`; empty where attempt and time left are not sent. */
  readonly headerPrefix?: string;
  readonly schemes?: readonly SchemeSpec[];
  /** The `grants` of schemes by their keys, apart since only clients that obtain tokens have to know them. */
  readonly grants?: () => Promise<Readonly<Record<string, readonly GrantSpec[]>>>;
}
