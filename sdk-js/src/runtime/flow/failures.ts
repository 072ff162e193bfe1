/** Failures as the errors that a caller meets. */

import {
  CallTimeoutError,
  ConnectionFailedError,
  ConnectionLostError,
  ConnectTimeoutError,
  DeadlineExceededError,
  DhatuError,
} from '../errors/local.js';
import type { Failure } from '../wire.js';

const CHECK = '; check baseURL and the network';

/**
 * The error to throw, its cause attached; `overdue` where the time for the whole call ran out.
 *
 * A cause that is an error of this package speaks for itself.
 */
export function failureError(
  { kind, cause }: Failure,
  operation: string,
  timeoutMs: number,
  attempts: number,
  overdue = false,
): DhatuError {
  if (cause instanceof DhatuError) return cause;
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  const [Kind, message] = {
    connect: [ConnectionFailedError, `could not connect: ${reason}${CHECK}`] as const,
    connect_timeout: [ConnectTimeoutError, `could not connect in time${CHECK}`] as const,
    pool_timeout: [ConnectTimeoutError, 'no connection became free in time; close streams'] as const,
    timeout: [
      overdue ? DeadlineExceededError : CallTimeoutError,
      `no complete answer within ${timeoutMs / 1000} s; give a larger timeoutMs if that is expected`,
    ] as const,
    lost: [ConnectionLostError, `the connection broke: ${reason}`] as const,
  }[kind];
  return new Kind(message, operation, attempts, cause);
}
