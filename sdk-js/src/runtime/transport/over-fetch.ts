/** fetch as the transport: the only module that knows it. */

import { ArgumentError } from '../errors.js';
import { essence } from '../media.js';
import type { Surroundings } from '../surroundings.js';
import { type Answer, type AnswerReader, type Send, type Transport, TransportFailed } from '../wire.js';
import { failureOf } from './failures.js';
import { type Limits, limitsOf } from './limits.js';
import type { Outgoing } from './outgoing.js';

/** What sends: `fetch` itself, or something like it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Sends over `fetch`, that of the runtime where none is given.
 *
 * Redirects are not followed, since fetch would carry headers such as `X-API-Key` along to another host.
 */
export function overFetch(given: Fetch | undefined, surroundings: Surroundings): Transport {
  // Looked up when it is needed, so that what stands in for it in a test may come later.
  const send: Fetch = given ?? ((url, init) => fetch(url, init));
  return {
    async send(step, signal) {
      const { body } = step.request;
      // Most programs send nothing but bytes that are all there.
      const outgoing =
        body && !body.whole ? (await import('./outgoing.js')).outgoingOf(body, isBrowser()) : undefined;
      const limits = limitsOf(surroundings, signal);
      let state: 'begun' | 'kept' | 'over' = 'begun';
      try {
        limits.set(step.timeLeftMs);
        const response = await begun(send, step, outgoing, limits);
        if (response.type === 'opaqueredirect') return redirected();
        const { status, headers } = response;
        if (step.keepOpen(status, essence(headers.get('content-type') ?? ''))) {
          state = 'kept';
          limits.clear();
          const reader = readerOf(response, step, limits, signal);
          return { status, headers, content: new Uint8Array(), reader, attempts: 1 };
        }
        const content = new Uint8Array(await limits.within(response.arrayBuffer()));
        checkLength(response, step, content.length);
        state = 'over';
        return { status, headers, content, attempts: 1 };
      } catch (error) {
        const thrown = outgoing?.thrown();
        if (thrown) throw thrown.error;
        return failed(error, step, signal).failure;
      } finally {
        if (state !== 'kept') {
          outgoing?.close();
          limits.release(state === 'begun');
        }
      }
    },
  };
}

/** Sends the request, and waits for the head of the answer. */
async function begun(
  send: Fetch,
  step: Send,
  outgoing: Outgoing | undefined,
  limits: Limits,
): Promise<Response> {
  const { method, body } = step.request;
  const [url, headers] = addressed(step);
  if (isBrowser()) headers.delete('user-agent'); // some send it, after asking the server by CORS whether they may
  const init: RequestInit = { method, headers, redirect: 'manual', signal: limits.signal };
  if (outgoing) {
    Object.assign(init, await limits.within(outgoing.init()));
    if (body?.sizeBytes !== undefined) headers.set('content-length', `${body.sizeBytes}`);
  } else if (body?.whole) {
    init.body = body.whole as BodyInit; // nothing here gives out shared memory
  }
  return await limits.within(send(url, init));
}

/** Where the request goes, and its headers; a user in the base URL proves who calls, as fetch takes none there. */
function addressed({ request, endpoint, headers: more }: Send): [string, Headers] {
  try {
    const url = new URL(endpoint.url + request.target);
    const headers = new Headers([...request.headers, ...more] as [string, string][]);
    const { username, password } = url;
    if (username) {
      const pair = new TextEncoder().encode(decodeURIComponent(`${username}:${password}`));
      headers.set('authorization', `Basic ${btoa(String.fromCharCode(...pair))}`);
      url.username = url.password = '';
    }
    return [url.href, headers];
  } catch {
    // What was wrong may be a secret.
    throw new ArgumentError('the request does not form valid HTTP; check baseURL and headers');
  }
}

/** The body of a kept answer. */
function readerOf(
  response: Response,
  step: Send,
  limits: Limits,
  signal: AbortSignal | undefined,
): AnswerReader {
  const source = response.body?.getReader();
  let arrived = 0;
  let closed = false;
  const next = async () => {
    if (!source || closed) return undefined;
    try {
      limits.set(step.idleMs);
      const { value } = await limits.within(source.read());
      arrived += value?.length ?? 0;
      if (!value && !closed) checkLength(response, step, arrived);
      return value;
    } catch (error) {
      if (closed) return undefined;
      throw failed(error, step, signal);
    } finally {
      limits.clear(); // what the caller does with a piece takes as long as it takes
    }
  };
  return {
    async *chunks() {
      for (let piece = await next(); piece; piece = await next()) yield piece;
      limits.release(false);
    },
    async close() {
      closed = true;
      limits.release(true);
      await source?.cancel().catch(() => {}); // it has broken off already
    },
  };
}

/** Not every runtime tells that a body ended too early; an encoded one has another length than the head says. */
function checkLength({ headers, status }: Response, { request }: Send, arrived: number): void {
  const said = Number(headers.get('content-length'));
  if (said > arrived && request.method !== 'HEAD' && status !== 304 && !headers.has('content-encoding'))
    throw new Error(`the body ended after ${arrived} of ${said} bytes`);
}

/** What the attempt ended with; throws what is none of the transport's business. */
function failed(error: unknown, { request }: Send, signal: AbortSignal | undefined): TransportFailed {
  if (signal?.aborted) throw signal.reason;
  if (error instanceof ArgumentError) throw error;
  return error instanceof TransportFailed ? error : new TransportFailed(failureOf(error, request.target));
}

/** Browsers hide where a redirect leads, and even its status; it is no failure that would go away. */
function redirected(): Answer {
  const detail = 'the server sends us elsewhere, where no credential may follow; set baseURL to that place';
  const content = new TextEncoder().encode(JSON.stringify({ title: 'Redirect', detail }));
  return {
    status: 302,
    headers: new Headers({ 'content-type': 'application/problem+json' }),
    content,
    attempts: 1,
  };
}

/** They say so, as do those that stand in for them in tests. */
function isBrowser(): boolean {
  return /^Mozilla/.test(globalThis.navigator?.userAgent);
}
