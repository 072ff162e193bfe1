/** The server of a case, behind a `fetch`: answers in order of arrival, and a record of what arrived. */

import type { VirtualClock } from './clock.js';
import type { Described, Given, ScriptedAnswer } from './files.js';

/** One request as it is on the wire, and when it came. */
export interface Arrival {
  readonly atMs: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly content: Uint8Array;
}

/** What a body does next: wait, give a piece, or break. */
type Step = number | Uint8Array<ArrayBuffer> | Error;

/** No connection has been made: nothing is read of a request's body. */
const UNSENT: ReadonlySet<string | undefined> = new Set(['connect', 'connect_timeout', 'pool_timeout']);

/** What fetch leaves without a body, whatever the server sent. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

export class Server {
  readonly arrivals: Arrival[] = [];
  /** Requests for which the script has no answer. */
  readonly unexpected: string[] = [];
  readonly #clock: VirtualClock;
  readonly #connectMs: number;
  readonly #scripts: ReadonlyMap<string, Iterator<ScriptedAnswer, undefined>>;

  /** `connectMs` is how long fetch tries to connect, which is no business of who calls it. */
  constructor(script: Given['server'], clock: VirtualClock, connectMs: number) {
    this.#clock = clock;
    this.#connectMs = connectMs;
    const scripts = Array.isArray(script) ? { '': script } : (script as Record<string, ScriptedAnswer[]>);
    this.#scripts = new Map(Object.entries(scripts).map(([url, answers]) => [url, repeated(answers)]));
  }

  readonly fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const answer = this.#choose(request);
    const content = UNSENT.has(answer.failure) ? new Uint8Array() : await this.#clock.hold(bodyOf(request));
    this.arrivals.push({
      atMs: this.#clock.now(),
      method: request.method,
      url: request.url,
      headers: framed(request, init, content),
      content,
    });
    await this.#clock.sleep(this.#pauseMs(answer), signal);
    if (answer.failure) throw failed('fetch failed', CODES[answer.failure]);
    const status = answer.status ?? 200;
    const body = BODILESS.has(status) ? null : this.#stream(bodySteps(answer), signal);
    return new Response(body, { status, headers: headersOf(answer) });
  };

  #choose({ method, url }: Request): ScriptedAnswer {
    const bases = [...this.#scripts.keys()].filter((base) => url.startsWith(base));
    const longest = bases.reduce((one, other) => (other.length > one.length ? other : one), bases[0] ?? '');
    const answer = this.#scripts.get(longest)?.next().value;
    if (answer) return answer;
    this.unexpected.push(`${method} ${url} at ${this.#clock.now() / 1000} s`);
    throw new Error('nobody expected this request');
  }

  #pauseMs({ failure, after_s = 0 }: ScriptedAnswer): number {
    if (failure === 'hang') return Infinity;
    return failure === 'connect_timeout' ? this.#connectMs : after_s * 1000;
  }

  /** Gives a piece whenever one is asked for, so that pauses begin there, as they do in the other languages. */
  #stream(steps: Iterator<Step, undefined>, signal: AbortSignal): ReadableStream<Uint8Array<ArrayBuffer>> {
    const pull = async (
      controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
    ): Promise<void> => {
      for (;;) {
        const { value: step } = steps.next();
        signal.throwIfAborted();
        if (step === undefined) return controller.close();
        if (step instanceof Error) throw step;
        if (typeof step !== 'number') return controller.enqueue(step);
        await this.#clock.sleep(step * 1000, signal);
      }
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }
}

/** What Node.js says: undici's codes, and those of the operating system. */
const CODES = {
  connect: 'ECONNREFUSED',
  connect_timeout: 'UND_ERR_CONNECT_TIMEOUT',
  pool_timeout: 'EMFILE',
  lost: 'UND_ERR_SOCKET',
  hang: '',
} as const;

function failed(message: string, code: string): TypeError {
  return new TypeError(message, { cause: Object.assign(new Error(code), { code }) });
}

async function bodyOf(request: Request): Promise<Uint8Array> {
  return new Uint8Array(await request.arrayBuffer());
}

/** The headers with those that say where the body ends, which fetch alone may write (RFC 9112, section 6). */
function framed(request: Request, init: RequestInit | undefined, content: Uint8Array): Headers {
  const headers = new Headers(request.headers);
  if (init?.body instanceof ReadableStream) headers.set('transfer-encoding', 'chunked');
  else if (content.length || !['GET', 'HEAD', 'DELETE'].includes(request.method)) {
    headers.set('content-length', String(content.length));
  }
  return headers;
}

function* repeated(answers: readonly ScriptedAnswer[]): Generator<ScriptedAnswer, undefined> {
  for (const answer of answers) {
    const times = answer.repeat === 'forever' ? Infinity : (answer.repeat ?? 1);
    for (let time = 0; time < times; time++) yield answer;
  }
  return undefined;
}

function headersOf(answer: ScriptedAnswer): Headers {
  const headers = new Headers();
  if (answer.json !== undefined) headers.set('content-type', 'application/json');
  if (answer.text !== undefined) headers.set('content-type', 'text/plain; charset=utf-8');
  for (const [name, text] of Object.entries(answer.headers ?? {})) {
    headers.set(name, Buffer.from(text).toString('latin1')); // fetch reads each byte as a character
  }
  return headers;
}

function* bodySteps(answer: ScriptedAnswer): Generator<Step, undefined> {
  for (const chunk of answer.chunks ?? [answer]) {
    if (answer.chunks && chunk.after_s) yield chunk.after_s;
    const content = contentOf(chunk);
    const size = answer.chunk_bytes ?? (content.length || 1);
    for (let start = 0; start < content.length; start += size) yield content.subarray(start, start + size);
  }
  if (answer.break) yield failed('terminated', 'UND_ERR_SOCKET');
  return undefined;
}

/** The bytes that `json`, `text` or `base64` stands for. */
export function contentOf({ json, text, base64 }: Described): Uint8Array<ArrayBuffer> {
  if (json !== undefined) return new Uint8Array(Buffer.from(JSON.stringify(json)));
  return new Uint8Array(base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64'));
}
