/** fetch as the transport: the only module that knows it. */

import { ArgumentError } from '../errors/local.js';
import type { Surroundings } from '../surroundings.js';
import { type Failure, type Send, type Transport, TransportFailed } from '../wire.js';
import { limitsOf } from './limits.js';

/** What sends: `fetch` itself, or something like it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Sends over `fetch`, that of the runtime where none is given.
 *
 * Redirects are not followed, since fetch would carry headers such as `X-API-Key` along to another host.
 */
export function overFetch(given: Fetch | undefined, surroundings: Surroundings): Transport {
  return {
    async send(step, signal) {
      const { method, target, body } = step.request;
      // Most programs send nothing but bytes that are all there.
      const outgoing =
        body && !body.whole ? (await import('./outgoing.js')).outgoingOf(body, isBrowser()) : undefined;
      const limits = limitsOf(surroundings, signal);
      let isKept = false;
      const failed = async (error: unknown): Promise<TransportFailed> => {
        if (signal?.aborted) throw signal.reason;
        if (error instanceof ArgumentError) throw error;
        return error instanceof TransportFailed ? error : new TransportFailed(await failureOf(error, target));
      };
      try {
        const [url, headers] = await addressed(step);
        limits.set(step.timeLeftMs);
        const init: RequestInit = { method, headers, redirect: 'manual', signal: limits.signal };
        if (body?.whole) init.body = body.whole as BodyInit; // nothing here gives out shared memory
        if (outgoing) Object.assign(init, await limits.within(outgoing.init(headers)));
        // Looked up late, so that what stands in for it in a test may come later.
        const response = await limits.within((given ?? fetch)(url, init));
        if (response.type === 'opaqueredirect') return (await import('./rare.js')).redirected();
        const { status, headers: received } = response;
        const answer = { status, headers: received, content: new Uint8Array(), attempts: 1 };
        const check = (arrivedBytes: number) => checkLength(response, method, arrivedBytes);
        if (step.keepOpen(status, received.get('content-type') ?? '')) {
          limits.clear();
          const { readerOf } = await import('./kept.js');
          isKept = true;
          return { ...answer, reader: readerOf(response, step, limits, failed, check) };
        }
        answer.content = new Uint8Array(await limits.within(response.arrayBuffer()));
        check(answer.content.length);
        return answer;
      } catch (error) {
        limits.release(true);
        const thrown = outgoing?.thrown();
        if (thrown) throw thrown.error;
        return (await failed(error)).failure;
      } finally {
        if (!isKept) {
          outgoing?.close();
          limits.release(false);
        }
      }
    },
  };
}

/** Where the request goes, and its headers. */
async function addressed({ request, endpoint, headers: more }: Send): Promise<[string, Headers]> {
  try {
    const url = new URL(endpoint.url + request.target);
    const headers = new Headers();
    for (const [name, text] of [...request.headers, ...more]) headers.append(name, text);
    if (url.username) headers.set('authorization', (await import('./rare.js')).takenUser(url));
    if (isBrowser()) headers.delete('user-agent'); // some send it, after asking the server by CORS whether they may
    return [url.href, headers];
  } catch {
    // What was wrong may be a secret.
    throw new ArgumentError('the request does not form valid HTTP; check baseURL and headers');
  }
}

/** Not every runtime tells that a body ended too early; an encoded one has another length than the head says. */
function checkLength({ headers, status }: Response, method: string, arrivedBytes: number): void {
  const said = Number(headers.get('content-length'));
  if (said > arrivedBytes && method !== 'HEAD' && status !== 304 && !headers.has('content-encoding'))
    throw new Error(`the body ended after ${arrivedBytes} of ${said} bytes`);
}

/** Why `fetch`, or a body, was rejected: browsers do not tell, and have no network to load a module over. */
async function failureOf(error: unknown, target: string): Promise<Failure> {
  if (isBrowser()) return { kind: 'lost', cause: error };
  return import('./failures.js').then(
    (module) => module.failureOf(error, target),
    // A process that cannot open even that has too much open; the server has no part in it.
    () => ({ kind: 'pool_timeout', cause: error }),
  );
}

/** They say so, as do those that stand in for them in tests. */
function isBrowser(): boolean {
  return /^Mozilla/.test(globalThis.navigator?.userAgent);
}
