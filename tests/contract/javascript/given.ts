/** What a case gives, in the SDK's own terms. */

import assert from 'node:assert/strict';
import { ClientCredentials, RefreshToken } from 'library';
import type { VirtualClock } from './clock.js';
import type { Given, Json, Members, ScriptedCall } from './files.js';

/** Tue, 14 Nov 2023 22:13:20 GMT: when a case begins that does not say. */
const WALL_S = 1_700_000_000;

/** For how long the runtime's own fetch tries to connect, where a case does not say. */
const CONNECT_S = 5;

/** Values that are the caller's own, whose members bear no names of ours. */
const OPAQUE: ReadonlySet<string> = new Set(['base_url', 'extra_headers', 'extra_query', 'extra_body']);

/** `retry_after_cap_s` as `retryAfterCapMs`, `per_s` as `perSecond`, `base_url` as `baseURL`. */
export function optionName(name: string): string {
  return name
    .replace(/^per_s$/, 'per_second')
    .replace(/_s$/, '_ms')
    .replace(/_url$/, 'URL')
    .replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Options under their names here, seconds as milliseconds, those within them included. */
export function optionsOf<T = Record<string, unknown>>(given: Members = {}): T {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [optionName(name), optionValue(name, value)]),
  ) as T; // the case has what the option needs
}

function optionValue(name: string, value: Json): unknown {
  if (typeof value === 'number' && optionName(name).endsWith('Ms')) return value * 1000;
  return isMembers(value) && !OPAQUE.has(name) ? optionsOf(value) : value;
}

/** The client's options, less what fetch is given instead. */
export function clientOptions({ client = {} }: Given): Record<string, unknown> {
  const { connect_timeout_s: _, token, auth, ...others } = client;
  const options = optionsOf(others);
  if (auth) options.auth = grant(auth as Members);
  if (token !== undefined) options.token = isMembers(token) ? provider(token) : token;
  return options;
}

/** fetch has no option for how long it tries to connect: whoever gives a client its fetch decides. */
export function connectMs({ client = {} }: Given): number {
  return Number(client.connect_timeout_s ?? CONNECT_S) * 1000;
}

/** What is traded for tokens. */
function grant({ client_credentials: own, refresh_token: session }: Members): object {
  if (own) return new ClientCredentials(optionsOf(own as Members));
  return new RefreshToken(optionsOf(session as Members));
}

/** Provides each token once. */
function provider({ $provided }: Members): () => Promise<unknown> {
  assert.ok(Array.isArray($provided));
  const left = $provided.values();
  return async () => {
    const { value: token } = left.next();
    assert.ok(token, 'nobody expected that another token would be asked for');
    return optionsOf(token);
  };
}

/** The arguments of a call by their names here. */
export function argumentsOf({ arguments: given = {} }: ScriptedCall): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      optionName(name),
      isMembers(value) ? stoodFor(value) : value,
    ]),
  );
}

/** JSON as it is; `$bytes`, `$base64`, `$chunks` and `$file` as what they stand for. */
function stoodFor(value: Members): unknown {
  const { $bytes, $base64, $chunks, $file } = value;
  if (typeof $bytes === 'string') return new TextEncoder().encode($bytes);
  if (typeof $base64 === 'string') return new Uint8Array(Buffer.from($base64, 'base64'));
  if (Array.isArray($chunks)) return once($chunks);
  if ($file !== undefined && isMembers($file)) return new File([String($file.text)], String($file.name));
  return value;
}

/** Gives the chunks to whoever comes first. */
function* once(texts: readonly string[]): Generator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

/** Time, chance and the rest of the world; `slept` is told of every pause, and `warn` of every warning. */
export function surroundingsOf(
  { random = 0.5, wall_s = WALL_S, environment = {} }: Given,
  clock: VirtualClock,
  slept: (delayMs: number) => void,
  warn: (message: string) => void,
) {
  const draws = typeof random === 'number' ? [random] : random;
  let drawn = 0;
  let made = 0;
  return {
    now: clock.now,
    wall: () => wall_s * 1000 + clock.now(),
    random: () => draws[drawn++ % draws.length] ?? 0.5,
    timer: (afterMs: number, then: () => void, pause = false) => {
      if (pause) slept(afterMs);
      return clock.timer(afterMs, then);
    },
    newToken: () => `token-${++made}`,
    warn,
    environment,
  };
}

function isMembers(value: Json): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
