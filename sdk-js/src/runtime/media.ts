/** Media types (RFC 9110, section 8.3). */

/**
 * The media type without its parameters, in lower case.
 *
 * @example
 * essence('Text/HTML; charset=utf-8') // 'text/html'
 */
export function essence(contentType: string): string {
  return contentType.replace(/;.*/s, '').trim().toLowerCase();
}

/**
 * Whether a media type, without parameters, lies in a range such as `image/*`.
 *
 * @example
 * matches('image/*', 'image/png') // true
 */
export function matches(mediaRange: string, mediaType: string): boolean {
  const range = essence(mediaRange);
  return (
    range === '*/*' ||
    range === mediaType ||
    (range.endsWith('/*') && mediaType.startsWith(range.slice(0, -1)))
  );
}

/**
 * Whether a media type is JSON or built on it (RFC 6839).
 *
 * @example
 * isJson('application/geo+json') // true
 */
export function isJson(mediaType: string): boolean {
  return /^application\/json$|\+json$/.test(essence(mediaType));
}

/**
 * A parameter of a media type; empty where there is none.
 *
 * @example
 * parameterOf('text/plain; charset="UTF-8"', 'charset') // 'UTF-8'
 */
export function parameterOf(mediaType: string, name: string): string {
  const found = Array.from(mediaType.matchAll(/;\s*([^\s;=]+)\s*=\s*"?([^;"]*)/g));
  return found.find(([, said]) => said?.toLowerCase() === name)?.[2]?.trim() ?? '';
}

/**
 * Whether a media type has every parameter that its description has.
 *
 * @example
 * sameParameters('text/x; v=2', 'text/x; charset=utf-8; v=2') // true
 */
export function sameParameters(described: string, mediaType: string): boolean {
  const parameters = (of: string) => of.replace(/[\s"]/g, '').split(';').slice(1);
  return parameters(described).every((parameter) => parameters(mediaType).includes(parameter));
}
