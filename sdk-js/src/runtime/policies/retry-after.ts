/** When a server wants to be asked again. */

/**
 * Milliseconds that the server asks to wait; undefined where it does not, or what it says is garbled.
 *
 * `Retry-After-Ms` is exact and comes first; `Retry-After` holds seconds or a date (RFC 9110, section 10.2.3). A date
 * is compared with the server's own Date where there is one, so that a wrong clock here does no harm.
 */
export function retryAfterMs(headers: Headers, wall: number): number | undefined {
  const text = headers.get('retry-after') ?? '';
  const toldMs = decimal(headers.get('retry-after-ms'), '') ?? decimal(text, 'e3');
  if (toldMs !== undefined) return toldMs;
  const until = dateMs(text);
  return until === undefined ? until : Math.max(0, until - (dateMs(headers.get('date') ?? '') ?? wall));
}

/** A plain number, moved by an exponent so that a decimal fraction stays exact. */
function decimal(text: string | null, exponent: string): number | undefined {
  return text && /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text + exponent) : undefined;
}

/** Milliseconds since 1970 of an HTTP date in any of its three forms (RFC 9110, section 5.6.7); undefined where it is none. */
export function dateMs(text: string): number | undefined {
  // Date.parse alone takes almost anything for a date, and one without a zone for local time.
  const found = /^[A-Z][a-z]+,? +(\d\d?[ -]\w{3}[ -]\d+ [\d:]{8}|\w{3} +\d+ [\d:]{8} \d{4})( GMT)?$/.exec(
    text,
  );
  const date = Date.parse(`${found?.[1]?.replaceAll('-', ' ')} GMT`);
  return Number.isNaN(date) ? undefined : date;
}
