/** Calls over the network: `node calls.mjs URL SDK OPENAI`, the modules by their URLs. */

import { compare, repeating } from './measure.mjs';

const AT_ONCE = [1, 32, 100];
const CALLS = 1000;
const PATH = '/api/v1/dashboard/overview';

const [url, sdk, openai] = process.argv.slice(2);
const { DhatuAPI } = await import(sdk);
const { OpenAI } = await import(openai);

const client = new DhatuAPI({ baseURL: url, token: 't' });
const peer = new OpenAI({ baseURL: url, apiKey: 't' });
const headers = { accept: 'application/json', authorization: 'Bearer t' };

const contestants = {
  fetch: async () => JSON.parse(await (await fetch(url + PATH, { headers })).text()),
  'fetch in time': async () => {
    const signal = AbortSignal.timeout(10_000);
    return JSON.parse(await (await fetch(url + PATH, { headers, signal })).text());
  },
  'openai in Node': () => peer.get(PATH),
  'SDK in JavaScript': () => client.dashboard.overview(),
};
const costs = {};
for (const atOnce of AT_ONCE) {
  const works = Object.entries(contestants).map(([name, call]) => [name, repeating(call, atOnce)]);
  for (const [name, found] of Object.entries(await compare(Object.fromEntries(works), CALLS)))
    costs[`${name}, ${atOnce} at once`] = found;
}
console.log(JSON.stringify(costs));
process.exit();
