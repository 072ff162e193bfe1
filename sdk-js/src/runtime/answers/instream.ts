/** Errors that a server reports among the items of a stream, after its answer has begun as a success. */

import { StreamError } from '../errors/refusals.js';
import { problemOf, readProblem } from '../problem.js';
import type { Answer } from '../wire.js';
import type { Shape } from './shapes.js';

type Members = Readonly<Record<string, unknown>>;

/** Members of problem details (RFC 9457) by which they are known. */
const PROBLEM = ['type', 'title', 'status', 'detail'];
/** Members beside `error` of an object that holds nothing else. */
const ENVELOPE = ['error', 'type', 'status', 'code', 'message', 'request_id'];

/** The error that such data speaks of: problem details, `{"error": {"message": ...}}`, or any text. */
export function streamError(operation: string, answer: Answer, data: string): StreamError {
  const { headers, attempts } = answer;
  const members = objectOf(data);
  const said = members && flat(members);
  const status = said ? statusOf(said, answer.status) : answer.status;
  const problem = said
    ? problemOf(status, said)
    : { ...readProblem(status, new TextEncoder().encode(data)), title: 'Error' };
  return new StreamError({ operation, status, problem, headers, retryAfterMs: undefined, attempts });
}

/** Whether data that is not the item it should be speaks of an error. */
export function isError(data: string): boolean {
  const members = objectOf(data);
  if (!members) return false;
  if (saysError(members) || (typeof members.message === 'string' && 'code' in members)) return true;
  const known = PROBLEM.filter((name) => name in members).length;
  return known >= 2 && (hasFailed(members) || typeof members.title === 'string');
}

/**
 * Whether an item was accepted only because its shape accepts anything, and is nothing but an error.
 *
 * Shapes take members that they do not know, so that one without required members takes every object.
 */
export function isPlainError(item: unknown, shape: Shape | undefined): boolean {
  if (!isObject(item)) return false;
  if ('error' in item)
    return (
      saysError(item) &&
      Object.keys(item).every((name) => ENVELOPE.includes(name)) &&
      !knows(shape, item, 'error')
    );
  return 'title' in item && 'status' in item && hasFailed(item) && !knows(shape, item, 'title');
}

/** Whether a shape describes a member of that name: then it refuses what is no JSON there, and nowhere else. */
function knows(shape: Shape | undefined, item: Members, name: string): boolean {
  const refuses = (name: string) => shape?.({ ...item, [name]: Symbol() }, true) !== shape?.(item, true);
  return refuses(name) && !refuses('\0');
}

function objectOf(data: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function saysError({ error }: Members): boolean {
  return isObject(error) ? Object.keys(error).length > 0 : typeof error === 'string' && error !== '';
}

function hasFailed(members: Members): boolean {
  return statusOf(members, 0) >= 400;
}

/** The members of problem details, whatever the API calls them. */
function flat(members: Members): Members {
  const { error } = members;
  const said = { ...members, ...(isObject(error) && error) };
  const text = (...values: unknown[]) => values.find((value) => value && typeof value === 'string');
  return {
    ...said,
    title: text(said.title, said.code, said.type) ?? 'Error',
    detail: text(said.detail, said.message, error) ?? '',
  };
}

function statusOf({ status, code }: Members, otherwise: number): number {
  const isStatus = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) >= 400 && Number(value) <= 599;
  return [status, code].find(isStatus) ?? otherwise;
}
