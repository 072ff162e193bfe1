/** What the tests of requests ask with: an API, operations of it, and tokens that count. */

import type { ApiSpec, Arguments, CallOptions, Operation, SchemeSpec } from '../../src/runtime/call.js';
import { addedBy } from '../../src/runtime/encoding/added.js';
import { encodeRequest, isKnown } from '../../src/runtime/encoding/request.js';
import { unknownError } from '../../src/runtime/encoding/unknown.js';
import { meteredBody } from '../../src/runtime/progress.js';
import type { Request } from '../../src/runtime/wire.js';

const API: ApiSpec = {
  client: 'SampleAPI',
  distribution: '@sample/client',
  version: '1.2.3',
  baseURL: 'https://api.sample.test/base',
  environmentPrefix: 'SAMPLE',
};

export interface Asked {
  readonly options?: CallOptions;
  readonly stream?: boolean;
  readonly proofs?: readonly (readonly [SchemeSpec, string])[];
}

export function operation(changes: Partial<Operation> = {}): Operation {
  return { key: 'samples.ask', method: 'GET', path: '/samples', ...changes };
}

export function ask(
  which: Operation,
  given: Arguments = {},
  { options = {}, stream = false, proofs = [] }: Asked = {},
): Request {
  let tokens = 0;
  const invocation = { operation: which, arguments: given, options, stream };
  if (!isKnown(invocation)) throw unknownError(invocation);
  return encodeRequest(API, invocation, proofs, () => `token-${++tokens}`, {
    meter: meteredBody,
    added: addedBy(options),
  });
}

export function headersOf({ headers }: Request): Record<string, string> {
  return Object.fromEntries(headers);
}

/** The body as one attempt would send it. */
export async function sent({ body }: Pick<Request, 'body'>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body?.chunks() ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function text(request: Pick<Request, 'body'>): Promise<string> {
  return (await sent(request)).toString();
}
