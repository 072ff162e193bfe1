/** Why `fetch` brought no answer, as far as it tells. Loaded when it brought none. */

import type { Failure, FailureKind } from '../wire.js';

/** What errors have beside what their types say. */
interface Told {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** Nobody was reached, or not the one that was meant: by the codes of Node.js, undici and Bun, and the words of Deno. */
const UNREACHED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EPROTO|ERR_TLS_|ERR_SSL_(?!\w*ALERT)|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ConnectionRefused|FailedToOpenSocket)|client error \(Connect\)/;

/** What `fetch`, or a body, was rejected with; the target may hold an API key, so that no cause shows it. */
export function failureOf(error: unknown, target: string): Failure {
  const cause = telling(error);
  return {
    kind: kindOf(error) ?? 'lost',
    cause: String(cause).includes(target) && target.includes('?') ? new Error('it broke off') : cause,
  };
}

/** The error within the error that says why: undici's own says `fetch failed`, whatever it was. */
function telling(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { cause, errors = [], code, message } = error as Told;
  const inner = cause ?? (message ? undefined : errors[0]);
  if (inner !== undefined) return telling(inner);
  return message || !code ? error : new Error(String(code));
}

function kindOf(error: unknown): FailureKind | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, syscall, message, cause, errors = [] } = error as Told;
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'connect_timeout';
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'timeout';
  if (code === 'ETIMEDOUT' && syscall === 'connect') return 'connect_timeout';
  // This process has too much open, such as streams that nobody closes; the server has no part in it.
  if (code === 'EMFILE' || code === 'ENFILE') return 'pool_timeout';
  if (UNREACHED.test(String(code)) || UNREACHED.test(String(message))) return 'connect';
  // Where a name has several addresses, each has failed in a way of its own.
  for (const inner of [...errors, cause]) {
    const kind = kindOf(inner);
    if (kind) return kind;
  }
  return undefined;
}
