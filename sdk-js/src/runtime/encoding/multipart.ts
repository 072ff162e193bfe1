/** Bodies in parts: `multipart/form-data` (RFC 7578). */

import type { BodySpec, FieldSpec } from '../call.js';
import { essence, matches } from '../media.js';
import { bodySpec, type EncodedBody, type Field, type GivenBody } from './body.js';
import { type Body, bodyOf, isWhole, utf8, wholeBody } from './content.js';
import { namedOf, styled, textOf, writtenOut } from './parts.js';
import { simplify } from './values.js';

/** A body in parts, of these members or of the one argument that holds all of it. */
export function multipartBody(
  source: readonly Field[] | string,
  mediaType = 'multipart/form-data',
): BodySpec {
  return bodySpec('multipart', mediaType, source, encodeMultipart);
}

function encodeMultipart(spec: BodySpec, given: GivenBody): EncodedBody {
  const written = writtenOut(spec, given);
  if (written) return written;
  const { mediaType } = spec;
  const boundary = given.newToken();
  const parts = namedOf(spec, given).flatMap(([field, value]) => partsOf(field, value, boundary));
  return {
    mediaType,
    contentType: `${mediaType}; boundary=${boundary}`,
    body: joinedBody([...parts.flat(), wholeBody(utf8(`--${boundary}--\r\n`))]),
  };
}

/** Several bodies, one after the other; one Blob where all of them are there. */
function joinedBody(parts: readonly Body[]): Body {
  const wholes = parts.flatMap(({ whole }) => (whole === undefined ? [] : [whole]));
  // The types allow for memory that threads share, which a Blob does not take.
  if (wholes.length === parts.length) return wholeBody(new Blob(wholes as BlobPart[]));
  return {
    sizeBytes: parts.reduce<number | undefined>(
      (total, { sizeBytes }) =>
        total === undefined || sizeBytes === undefined ? undefined : total + sizeBytes,
      0,
    ),
    get repeatable() {
      return parts.every((part) => part.repeatable);
    },
    async *chunks() {
      for (const part of parts) yield* part.chunks();
    },
  };
}

/** A list becomes one part per item. */
function partsOf(field: FieldSpec, value: unknown, boundary: string): Body[][] {
  if (field.style)
    return styled(field, value).map((pair) => {
      // Only a URL needs percent-encoding.
      const [name = '', ...text] = pair.split('=');
      const own = { argument: field.argument, name: decodeURIComponent(name) };
      return part(own, decodeURIComponent(text.join('=')), boundary);
    });
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items.map((item) => part(field, item, boundary));
}

function part(field: FieldSpec, item: unknown, boundary: string): Body[] {
  const file = field.file || isFile(item);
  const contentType = file ? fileType(field, item) : valueType(field, item);
  const lines = [
    `--${boundary}`,
    `Content-Disposition: form-data; name="${quoted(field.name ?? field.argument)}"${
      file ? `; filename="${quoted(fileName(item))}"` : ''
    }`,
    ...(contentType ? [`Content-Type: ${contentType}`] : []),
    '\r\n',
  ];
  const body = file ? bodyOf(item) : wholeBody(utf8(textOf(field, item)));
  return [wholeBody(utf8(lines.join('\r\n'))), body, wholeBody(utf8('\r\n'))];
}

function isFile(item: unknown): boolean {
  return typeof item !== 'string' && (isWhole(item) || item instanceof ReadableStream);
}

/** What the file says of itself, where the spec allows it; else the first type that the spec lists. */
function fileType({ contentType = '' }: FieldSpec, item: unknown): string {
  const said = item instanceof Blob ? item.type : '';
  const allowed = contentType.split(',').flatMap((listed) => listed.trim() || []);
  const exact = allowed.filter((listed) => !listed.includes('*'));
  const free = allowed.length !== 1 || !exact.length;
  const fits = !allowed.length || allowed.some((listed) => matches(listed, essence(said)));
  return (said && free && fits ? said : exact[0] || said) || 'application/octet-stream';
}

function valueType({ argument, contentType = '' }: FieldSpec, item: unknown): string {
  const [first = ''] = contentType.split(',');
  const plain = simplify(item, argument);
  return first.trim() || (typeof plain === 'object' && plain ? 'application/json' : '');
}

/** The last part of the name that a file has. */
function fileName(item: unknown): string {
  const name = typeof item === 'object' && item !== null && 'name' in item ? item.name : '';
  return (typeof name === 'string' && name.replace(/.*\//s, '')) || 'upload';
}

/** As browsers write names (HTML, multipart form data): what would end one is encoded. */
function quoted(text: string): string {
  return text.replace(/["\r\n]/g, encodeURIComponent);
}
