/** What a client was given, resolved once: options, then the environment, then the API's own defaults. */

import type { Credentials } from './auth/credentials.js';
import { type AuthOptions, resolveCredentials } from './auth/given.js';
import type { ApiSpec, Operation } from './call.js';
import { ConfigurationError } from './errors.js';
import type { EndpointProvider } from './flow/endpoints.js';
import { type RetryPolicy, resolveRetry } from './policies/retry.js';
import type { Resilience } from './resilience.js';
import type { Surroundings } from './surroundings.js';
import type { Fetch } from './transport/over-fetch.js';
import { checkedURL, listedEndpoints } from './urls.js';
import type { Listener, Tracer } from './watch/watch.js';
import type { Endpoint } from './wire.js';

/** An address; several; several with their weights; or what finds them out. */
export type BaseURL = string | readonly string[] | Readonly<Record<string, number>> | EndpointProvider;

/**
 * What a client may be given.
 *
 * What is not given comes from the environment where there is one, then from the API's description. The variables are
 * `DHATU_BASE_URL`, `DHATU_API_KEY`, `DHATU_TOKEN`, `DHATU_USERNAME` and `DHATU_PASSWORD`, `DHATU_CLIENT_ID` and
 * `DHATU_CLIENT_SECRET`, `DHATU` being the API's prefix. `DHATU_LOG=debug`, or info, warning, error or off, logs from that
 * level on.
 */
export interface ClientOptions extends AuthOptions {
  /**
   * Where the API is: an address; several, over which calls are spread, perhaps with weights; or a provider. It holds for
   * every operation, those with a server of their own included.
   *
   * @default the first server of the API's description
   */
  baseURL?: BaseURL | undefined;
  /**
   * For every call, retries and waits included, in milliseconds.
   *
   * @default each operation's own, mostly 60_000
   */
  timeoutMs?: number | undefined;
  /**
   * For each attempt, in milliseconds.
   *
   * @default all the time that is left
   */
  attemptTimeoutMs?: number | undefined;
  /**
   * Retries after the first attempt; 0 turns them off.
   *
   * @default 2
   */
  maxRetries?: number | undefined;
  /**
   * Whether answers may hold only what the API's description knows; see `CallOptions`.
   *
   * @default false
   */
  strict?: boolean | undefined;
  /** Retries, budget, circuit breakers, balancing, hedging and pacing in detail. */
  resilience?: Resilience | undefined;
  /** Called with what happens to the calls, one `Event` at a time. */
  onEvent?: Listener | readonly Listener[] | undefined;
  /** Makes spans of calls and attempts. */
  tracer?: Tracer | undefined;
  /**
   * Sends the requests instead of the runtime's own: for proxies, client certificates or tests.
   *
   * @default globalThis.fetch
   */
  fetch?: Fetch | undefined;
  /** Time and chance, for tests. */
  surroundings?: Partial<Surroundings> | undefined;
}

/** What `withOptions` may change. */
export type ChangeableOptions = Pick<
  ClientOptions,
  'timeoutMs' | 'attemptTimeoutMs' | 'maxRetries' | 'strict'
>;

/** The settings of a client. */
export interface Settings {
  /** None where a provider names them. */
  readonly endpoints: readonly Endpoint[];
  readonly provider: EndpointProvider | undefined;
  /** Whether the caller said where, which then holds for operations with servers of their own as well. */
  readonly isPlaceGiven: boolean;
  readonly credentials: Credentials;
  /** Undefined: each operation's own. */
  readonly timeoutMs: number | undefined;
  readonly attemptTimeoutMs: number | undefined;
  readonly retry: RetryPolicy;
  readonly strict: boolean;
  /** One of debug, info, warning, error and off; empty where nobody asked for a log. */
  readonly logLevel: string;
}

const LOG_LEVELS = ['debug', 'info', 'warning', 'error', 'off'];
const CHANGEABLE: Readonly<Record<keyof ChangeableOptions, 1>> = {
  timeoutMs: 1,
  attemptTimeoutMs: 1,
  maxRetries: 1,
  strict: 1,
};
const OPTIONS: Readonly<Record<Exclude<keyof ClientOptions, keyof ChangeableOptions>, 1>> = {
  baseURL: 1,
  apiKey: 1,
  token: 1,
  auth: 1,
  username: 1,
  password: 1,
  credentials: 1,
  resilience: 1,
  onEvent: 1,
  tracer: 1,
  fetch: 1,
  surroundings: 1,
};

/** The settings of a new client; throws `ConfigurationError`, which names the option or the variable. */
export function resolve(api: ApiSpec, given: ClientOptions, surroundings: Surroundings): Settings {
  refuseUnknown(given, [...Object.keys(OPTIONS), ...Object.keys(CHANGEABLE)], `${api.client}()`);
  const variable = (name: string) =>
    (api.environmentPrefix && surroundings.environment[`${api.environmentPrefix}_${name}`]) || '';
  const { endpoints = [], provider, isPlaceGiven } = placeOf(api, given.baseURL, variable('BASE_URL'));
  return changed(
    {
      endpoints,
      provider,
      isPlaceGiven,
      credentials: resolveCredentials(given, {
        api,
        baseURL: endpoints[0]?.url ?? '',
        surroundings,
      }),
      timeoutMs: undefined,
      attemptTimeoutMs: undefined,
      retry: resolveRetry(given.resilience?.retry),
      strict: false,
      logLevel: logLevel(api, variable('LOG')),
    },
    given,
  );
}

/** With other values, where they are given; throws `ConfigurationError`. */
export function changed(settings: Settings, changes: ChangeableOptions): Settings {
  const { maxRetries, strict, timeoutMs, attemptTimeoutMs } = changes;
  return {
    ...settings,
    timeoutMs: checkedTimeout(timeoutMs, 'timeoutMs') ?? settings.timeoutMs,
    attemptTimeoutMs: checkedTimeout(attemptTimeoutMs, 'attemptTimeoutMs') ?? settings.attemptTimeoutMs,
    retry: withRetries(settings.retry, maxRetries),
    strict: strict ?? settings.strict,
  };
}

/** As `changed`, for `withOptions`, which takes no other names. */
export function rechanged(settings: Settings, changes: ChangeableOptions): Settings {
  refuseUnknown(changes, Object.keys(CHANGEABLE), 'withOptions()');
  return changed(settings, changes);
}

/** A policy of retries with another number of them; throws `ConfigurationError`. */
export function withRetries(retry: RetryPolicy, maxRetries: number | undefined): RetryPolicy {
  if (maxRetries === undefined) return retry;
  if (!(maxRetries >= 0)) throw new ConfigurationError(`maxRetries must be 0 or more, not ${maxRetries}`);
  return { ...retry, maxRetries };
}

/** The time, if it is one; throws `ConfigurationError`. */
export function checkedTimeout(timeoutMs: number | undefined, name: string): number | undefined {
  if (timeoutMs === undefined || (timeoutMs > 0 && timeoutMs < Infinity)) return timeoutMs;
  throw new ConfigurationError(`${name} must be a number of milliseconds above 0, not ${timeoutMs}`);
}

/** Where an operation is served that has a server of its own; undefined where it is where the API is. */
export function addressOf(
  { endpoints: [first], isPlaceGiven }: Settings,
  operation: Operation,
): string | undefined {
  const { baseURL } = operation;
  if (isPlaceGiven || !baseURL || !first) return undefined;
  return new URL(baseURL, first.url).href.replace(/\/+$/, '');
}

/** JavaScript takes any object: an option that nobody reads would be lost without a word. */
function refuseUnknown(given: object, known: readonly string[], where: string): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || known.includes(name)) continue;
    const plain = name.replaceAll('_', '').toLowerCase();
    const near = known.find((other) => other.toLowerCase().startsWith(plain));
    throw new ConfigurationError(`${where} has no option ${name}${near ? `; is it ${near}?` : ''}`);
  }
}

function logLevel({ environmentPrefix }: ApiSpec, said: string): string {
  const level = said.trim().toLowerCase();
  if (!level || LOG_LEVELS.includes(level)) return level;
  throw new ConfigurationError(
    `${environmentPrefix}_LOG must be one of ${LOG_LEVELS.join(', ')}, not '${level}'`,
  );
}

/** The endpoints or the provider of them; several addresses in the variable are separated by commas. */
function placeOf(
  { baseURL: own, environmentPrefix: prefix }: ApiSpec,
  given: BaseURL | undefined,
  variable: string,
): { endpoints?: readonly Endpoint[]; provider?: EndpointProvider; isPlaceGiven: boolean } {
  const name = prefix ? `baseURL or ${prefix}_BASE_URL` : 'baseURL';
  const listed = variable.split(',').flatMap((url) => url.trim() || []);
  let place = typeof given === 'string' ? (given ? [given] : undefined) : given;
  if (!place && listed.length) place = listed;
  if (place)
    return isProvider(place)
      ? { provider: place, isPlaceGiven: true }
      : { endpoints: listedEndpoints(place, name), isPlaceGiven: true };
  if (own.startsWith('/'))
    throw new ConfigurationError(`the address of the API is missing: set ${name}; its path is ${own}`);
  return { endpoints: [{ url: checkedURL(own, name) }], isPlaceGiven: false };
}

function isProvider(place: object): place is EndpointProvider {
  return 'endpoints' in place && typeof place.endpoints === 'function';
}
