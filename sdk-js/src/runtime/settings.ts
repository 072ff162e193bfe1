/** What a client was given, resolved once: options, then the environment, then the API's own defaults. */

import type { Credentials } from './auth/credentials.js';
import { type AuthOptions, resolveCredentials } from './auth/given.js';
import type { ApiSpec, Operation } from './call.js';
import { ConfigurationError } from './errors/local.js';
import type { EndpointProvider } from './flow/endpoints.js';
import { type RetryPolicy, resolveRetry } from './policies/retry.js';
import type { Resilience } from './resilience.js';
import type { Surroundings } from './surroundings.js';
import type { Fetch } from './transport/over-fetch.js';
import { listedEndpoints } from './urls.js';
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
  /** Begins the lines of the log. */
  readonly distribution: string;
}

/** The first of them may be changed by `withOptions`. */
const OPTIONS: readonly (keyof ClientOptions)[] = [
  'timeoutMs',
  'attemptTimeoutMs',
  'maxRetries',
  'strict',
  'baseURL',
  'apiKey',
  'token',
  'auth',
  'username',
  'password',
  'credentials',
  'resilience',
  'onEvent',
  'tracer',
  'fetch',
  'surroundings',
];

const LOG_LEVELS = 'debug, info, warning, error, off';

/** The settings of a new client; throws `ConfigurationError`, which names the option or the variable. */
export function resolve(api: ApiSpec, given: ClientOptions, surroundings: Surroundings): Settings {
  refuseUnknown(given, OPTIONS, `${api.client}()`);
  const prefix = api.environmentPrefix;
  const variable = (name: string) => (prefix && surroundings.environment[`${prefix}_${name}`]?.trim()) || '';
  const place = placeOf(api, given.baseURL, variable('BASE_URL'));
  const logLevel = variable('LOG').toLowerCase();
  if (logLevel && !LOG_LEVELS.split(', ').includes(logLevel))
    throw new ConfigurationError(`${prefix}_LOG must be one of ${LOG_LEVELS}, not '${logLevel}'`);
  const settings = {
    ...place,
    credentials: resolveCredentials(given, { api, baseURL: place.endpoints[0]?.url ?? '', surroundings }),
    timeoutMs: undefined,
    attemptTimeoutMs: undefined,
    retry: resolveRetry(given.resilience?.retry),
    strict: false,
    logLevel,
    distribution: api.distribution,
  };
  return changed(settings, given);
}

/** With other values, where they are given; throws `ConfigurationError`, for names that are none with `isRefusing`. */
export function changed(settings: Settings, changes: ChangeableOptions, isRefusing?: boolean): Settings {
  if (isRefusing) refuseUnknown(changes, OPTIONS.slice(0, 4), 'withOptions()');
  return {
    ...settings,
    timeoutMs: timeOf(changes, 'timeoutMs') ?? settings.timeoutMs,
    attemptTimeoutMs: timeOf(changes, 'attemptTimeoutMs') ?? settings.attemptTimeoutMs,
    retry: withRetries(settings.retry, changes.maxRetries),
    strict: changes.strict ?? settings.strict,
  };
}

/** A policy of retries with another number of them; throws `ConfigurationError`. */
export function withRetries(retry: RetryPolicy, maxRetries: number | undefined): RetryPolicy {
  if (maxRetries === undefined) return retry;
  if (!(maxRetries >= 0)) throw new ConfigurationError(`maxRetries must be 0 or more, not ${maxRetries}`);
  return { ...retry, maxRetries };
}

/** A time in milliseconds, if it is given; throws `ConfigurationError`. */
export function timeOf<N extends string>(
  given: { readonly [name in N]?: number | undefined },
  name: N,
): number | undefined {
  const timeMs = given[name];
  if (timeMs === undefined || (timeMs > 0 && timeMs < Infinity)) return timeMs;
  throw new ConfigurationError(`${name} must be a number of milliseconds above 0, not ${timeMs}`);
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

/** The endpoints or the provider of them; several addresses in the variable are separated by commas. */
function placeOf(
  { baseURL: own, environmentPrefix: prefix }: ApiSpec,
  given: BaseURL | undefined,
  variable: string,
): Pick<Settings, 'endpoints' | 'provider' | 'isPlaceGiven'> {
  const name = prefix ? `baseURL or ${prefix}_BASE_URL` : 'baseURL';
  const listed = variable.split(',').flatMap((url) => url.trim() || []);
  const place = (typeof given === 'string' ? given && [given] : given) || (listed.length && listed);
  if (place && isProvider(place)) return { endpoints: [], provider: place, isPlaceGiven: true };
  if (!place && own[0] === '/')
    throw new ConfigurationError(`the address of the API is missing: set ${name}; its path is ${own}`);
  return { endpoints: listedEndpoints(place || [own], name), provider: undefined, isPlaceGiven: !!place };
}

function isProvider(place: object): place is EndpointProvider {
  return 'endpoints' in place && typeof place.endpoints === 'function';
}
