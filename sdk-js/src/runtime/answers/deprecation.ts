/** What is said of the end of an operation: by its description, and by the server in `Deprecation` (RFC 9745), `Sunset` (RFC 8594), `Link`. Loaded with the first. */

import type { Operation } from '../call.js';
import { dateMs } from '../policies/retry-after.js';
import type { Surroundings } from '../surroundings.js';

/** Links and their parameters (RFC 8288, section 3). */
const LINKS = /<([^>]*)>([^<]*)/g;
const REL = /;\s*rel="?([^";,]*)"?/i;
const SPEAKS_OF_IT = /(^|\s)(deprecation|sunset|successor-version)(\s|$)/i;

/** A client, as far as it warns. */
interface Warning {
  readonly surroundings: Surroundings;
  /** What callers have been warned of. */
  readonly warned: Set<string>;
}

/** Warns of the same once. */
export function warnOnce({ warned, surroundings }: Warning, about: string, message: string): void {
  if (warned.has(about)) return;
  warned.add(about);
  (surroundings.warn ?? warn)(message);
}

/** As far as it is used; runtimes other than Node.js have none, or another. */
interface Process {
  readonly emitWarning?: (message: string, kind: string) => void;
}

function warn(message: string): void {
  const { process } = globalThis as { process?: Process };
  if (process?.emitWarning) process.emitWarning(message, 'DeprecationWarning');
  else console.warn(message);
}

/** Warns of what the server announces. */
export function warnOfEnd(warning: Warning, operation: Operation, headers: Headers): void {
  const { key, deprecated } = operation;
  const notice = deprecationNotice(key, headers, warning.surroundings.wall(), deprecated);
  if (notice) warnOnce(warning, `${key}, as the server says`, notice);
}

/**
 * What to tell a caller; empty where the answer announces nothing. `wall` is in milliseconds since 1970.
 * `known` has been said before: it is not said again where the answer names no other end.
 *
 * @example
 * const headers = new Headers({ deprecation: '@1688169599', sunset: 'Sun, 30 Jun 2024 23:59:59 GMT' });
 * deprecationNotice('documents.get', headers, 1_700_000_000_000);
 * // 'documents.get is deprecated since 2023-06-30 and ends on 2024-06-30'
 */
export function deprecationNotice(operation: string, headers: Headers, wall: number, known = ''): string {
  const deprecation = headers.get('deprecation');
  const since = sinceMs(deprecation ?? '');
  const ends = dateMs(headers.get('sunset') ?? '');
  if (known && (ends === undefined || known.includes(day(ends)))) return '';
  const said: string[] = [];
  // With 0 a server says that it knows no date.
  if (since) said.push(`is deprecated ${since <= wall ? 'since' : 'from'} ${day(since)}`);
  else if (deprecation) said.push('is deprecated');
  if (ends !== undefined) said.push(`${ends > wall ? 'ends' : 'ended'} on ${day(ends)}`);
  if (!said.length) return '';
  const link = linkOf(headers.get('link') ?? '');
  return `${operation} ${said.join(' and ')}${link && `; see ${link}`}`;
}

/** `@` and seconds (RFC 9651, section 3.3.7); a date in the drafts before. */
function sinceMs(text: string): number | undefined {
  const seconds = /^\s*@(\d+)\s*$/.exec(text)?.[1];
  return seconds ? Number(seconds) * 1000 : dateMs(text);
}

/** A time that no calendar has is left as it is. */
function day(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? `@${(at / 1000).toFixed(0)}` : date.toISOString().slice(0, 10);
}

/** The first link that speaks of the end; empty where there is none. */
function linkOf(header: string): string {
  for (const [, url = '', parameters = ''] of header.matchAll(LINKS)) {
    if (SPEAKS_OF_IT.test(REL.exec(parameters)?.[1] ?? '')) return url;
  }
  return '';
}
