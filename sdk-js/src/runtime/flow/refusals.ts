/** Refusals as the errors that a caller meets. Loaded with the first one. */

import type { DhatuError } from '../errors/local.js';
import { errorClass } from '../errors/refusals.js';
import { readProblem } from '../problem.js';

export { retryAfterMs } from '../policies/retry-after.js';

import type { Answer } from '../wire.js';

/** The error to throw for an answer that is no success; `retryAfterMs` is the wait that it asks for. */
export function refusalError(
  { status, headers, content }: Answer,
  operation: string,
  retryAfterMs: number | undefined,
  attempts: number,
): DhatuError {
  const problem = readProblem(status, content);
  return new (errorClass(status))({ operation, status, problem, headers, retryAfterMs, attempts });
}
