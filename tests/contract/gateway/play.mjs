// Makes the calls of a case with the JavaScript SDK: the case comes on standard input, how each call ended goes to
// standard output.

import { text } from 'node:stream/consumers';
import { APIStatusError, DhatuAPI } from '@dhatu/client';

/** `timeout_s` as `timeoutMs`; what is the caller's own stays as it is. */
function options(given = {}) {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const inner = value !== null && typeof value === 'object' && name !== 'extra_headers';
      const ours = name.replace(/_s$/, '_ms').replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
      return [ours, name.endsWith('_s') ? value * 1000 : inner ? options(value) : value];
    }),
  );
}

async function outcome(client, { operation, arguments: given = {}, options: chosen }) {
  const [resource, name] = operation.split('.');
  const method = name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
  try {
    const value = await client[resource][method](...Object.values(given), options(chosen));
    return operation === 'corpus.collect' ? value.id : 'ok';
  } catch (error) {
    if (!(error instanceof APIStatusError)) throw error;
    return String(error.status);
  }
}

const given = JSON.parse(await text(process.stdin));
const client = new DhatuAPI({ ...options(given.client), baseURL: given.base_url, apiKey: given.api_key });
const outcomes = [];
for (const call of given.calls) {
  for (let left = call.repeat ?? 1; left > 0; left--) {
    outcomes.push(...(await Promise.all(Array.from({ length: call.together ?? 1 }, () => outcome(client, call)))));
  }
}
console.log(JSON.stringify(outcomes));
