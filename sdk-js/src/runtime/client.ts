/** The client that generated ones extend: settings, connections, and `call`. */

import { decode, parseItem } from './answers/decode.js';
import { findResponse } from './answers/responses.js';
import type { Opening } from './answers/streamed.js';
import { proofs, renewedToken, satisfied } from './auth/credentials.js';
import type { ApiSpec, Arguments, CallOptions, Operation } from './call.js';
import { encodeRequest, isKnown, type Needed } from './encoding/request.js';
import { type Engine, engineOf } from './engine.js';
import { run } from './flow/drivers.js';
import { singleEndpoint } from './flow/endpoints.js';
import { callFlow } from './flow/life.js';
import type { Call } from './flow/plan.js';
import type { Answered, Caller, Invocation, Mode } from './origin.js';
import { APIPromise, headOf } from './promise.js';
import {
  addressOf,
  type ChangeableOptions,
  type ClientOptions,
  changed,
  resolve,
  type Settings,
  timeOf,
  withRetries,
} from './settings.js';
import { SURROUNDINGS, type Surroundings } from './surroundings.js';

const DEFAULT_TIMEOUT_MS = 60_000;

/** All that a client is; it holds secrets, so that it is private. */
interface Made {
  readonly api: ApiSpec;
  readonly given: ClientOptions;
  readonly surroundings: Surroundings;
  readonly settings: Settings;
  readonly engine: Engine;
  /** What callers have been warned of. */
  readonly warned: Set<string>;
}

/** What `withOptions` makes the next client of, whatever the constructors of subclasses are given. */
let handedOver: Made | undefined;

/**
 * The client of an API; a generated class adds the operations.
 *
 * Calls that may be repeated are, twice by default, within a budget that all calls share. After ten failures in a row, or
 * where half of the calls fail, calls are refused at once for five seconds; then three at a time are let through until three
 * succeed. `resilience` holds all of that.
 */
export class APIClient implements Caller {
  readonly #made: Made;

  /** Throws `ConfigurationError`. */
  constructor(api: ApiSpec, options: ClientOptions = {}) {
    this.#made = handedOver ?? make(api, options);
    handedOver = undefined;
  }

  /** A client with other settings, which shares this one's connections and policies. */
  withOptions(changes: ChangeableOptions): this {
    const made = this.#made;
    handedOver = { ...made, settings: changed(made.settings, changes, true) };
    try {
      // The class of this client, which has a constructor of its own.
      const Kind = this.constructor as new (options: ClientOptions) => this;
      return new Kind(made.given);
    } finally {
      handedOver = undefined;
    }
  }

  /**
   * Carries out one operation.
   *
   * What comes back follows the answer: the value for JSON, a string for text, undefined for an empty one, `BinaryResponse`
   * for bytes, `EventStream` for server-sent events and JSON Lines. `stream` asks for events where an operation offers JSON
   * as well. Rejects with `DhatuError`, or with the reason of `options.signal`.
   */
  call<T, P extends APIPromise<T>>(
    operation: Operation<T, P>,
    args: Arguments,
    options: CallOptions = {},
    stream = false,
  ): P {
    const Kind = operation.goesOn?.promise ?? APIPromise;
    const invocation = { operation, arguments: args, options, stream };
    return new Kind((mode) => carriedOut(this, this.#made, invocation, mode)) as P; // as the descriptor says
  }
}

function make(api: ApiSpec, given: ClientOptions): Made {
  const surroundings = { ...SURROUNDINGS, ...given.surroundings };
  const settings = resolve(api, given, surroundings);
  return {
    api,
    given,
    surroundings,
    settings,
    engine: engineOf(settings, given, surroundings),
    warned: new Set(),
  };
}

async function carriedOut(client: Caller, made: Made, invocation: Invocation, mode: Mode): Promise<Answered> {
  const { engine, surroundings } = made;
  const { operation, options } = invocation;
  options.signal?.throwIfAborted();
  if (operation.deprecated)
    (await import('./answers/deprecation.js')).warnOnce(made, operation.key, operation.deprecated);
  if (!isKnown(invocation)) throw (await import('./encoding/unknown.js')).unknownError(invocation);
  const needed: Needed = {
    meter: options.onProgress && (await import('./progress.js')).meteredBody,
    added:
      (options.extraHeaders || options.extraQuery) && (await import('./encoding/added.js')).addedBy(options),
  };
  await engine.ready;
  await made.settings.credentials.ready?.();
  const call = prepared(made, invocation, mode, needed);
  const { policies, transport } = engine;
  const { signal } = options;
  const again = (call: Call, signal: AbortSignal | undefined) =>
    run(callFlow(call, policies), transport, surroundings, signal);
  const answer = await again(call, signal);
  options.onAnswer?.(headOf(answer));
  if (answer.headers.has('deprecation') || answer.headers.has('sunset'))
    (await import('./answers/deprecation.js')).warnOfEnd(made, operation, answer.headers);
  const opening = { answer, call, policies, surroundings, signal, again };
  return { answer, opening, understand: () => understood(client, invocation, opening) };
}

/** The call, encoded; throws `ArgumentError`, and `ConfigurationError` for times that are none. */
function prepared(
  { api, engine, settings, surroundings }: Made,
  invocation: Invocation,
  mode: Mode,
  needed: Needed,
): Call {
  const { operation, options } = invocation;
  const timeoutMs =
    timeOf(options, 'timeoutMs') ?? settings.timeoutMs ?? operation.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const address = addressOf(settings, operation);
  const found = satisfied(api, settings.credentials, operation);
  return {
    operation,
    timeoutMs,
    attemptTimeoutMs: timeOf(options, 'attemptTimeoutMs') ?? settings.attemptTimeoutMs,
    request: encodeRequest(api, invocation, proofs(found), surroundings.newToken, needed),
    endpoints: address ? singleEndpoint(address) : engine.endpoints,
    retry: withRetries(settings.retry, options.maxRetries),
    strict: options.strict ?? settings.strict,
    headerPrefix: api.headerPrefix?.toLowerCase() ?? '',
    keepOpen: (status, contentType) => isKeptOpen(mode, operation, status, contentType),
    tokens: needed.added?.headers.has('authorization') ? undefined : renewedToken(found),
    idleMs: timeOf(options, 'eventIdleMs') ?? timeoutMs,
    resume: options.resume ?? true,
  };
}

/** Whether the body of such an answer is left to the caller to read: a raw one holds bytes, but not events. */
function isKeptOpen(mode: Mode, operation: Operation, status: number, contentType: string): boolean {
  const spec = status < 300 ? findResponse(operation, status, contentType) : undefined;
  return !!spec?.open && !(mode === 'raw' && spec.kind === 'binary');
}

/** The answer as the operation describes it. */
function understood(client: Caller, invocation: Invocation, opening: Opening): unknown {
  const { operation } = invocation;
  const { answer, call, surroundings } = opening;
  const { strict } = call;
  const spec = findResponse(operation, answer.status, answer.headers.get('content-type') ?? '');
  if (spec?.open)
    return spec.open(opening, spec, (payload) => parseItem(operation, answer, spec.shape, payload, strict));
  const value = decode(operation, answer, spec, strict);
  return operation.goesOn?.bind({ client, surroundings, invocation, answer }, value) ?? value;
}
