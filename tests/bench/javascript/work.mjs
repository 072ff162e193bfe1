/** What a call costs without a network, small, large and streamed: `node work.mjs SDK OPENAI`, the modules by their URLs. */

import { answering, EVENTS, eventBody, OVERVIEW, PAGE } from './answers.mjs';
import { compare, repeating } from './measure.mjs';

const [sdk, openai] = process.argv.slice(2);
const { DhatuAPI } = await import(sdk);
const { OpenAI } = await import(openai);

const clients = (fetch) => [
  new DhatuAPI({ baseURL: 'http://api.test', token: 't', fetch }),
  new OpenAI({ baseURL: 'http://api.test', apiKey: 't', fetch }),
];

async function calls() {
  const body = JSON.stringify(OVERVIEW);
  const fetch = answering('application/json', () => body);
  const [client, peer] = clients(fetch);
  return compare(
    {
      'no network': repeating(async () => JSON.parse(await (await fetch()).text())),
      'openai in Node, no network': repeating(() => peer.get('/api/v1/dashboard/overview')),
      'SDK in JavaScript, no network': repeating(() => client.dashboard.overview()),
    },
    3000,
  );
}

async function largeAnswers() {
  const fetch = answering('application/json', () => PAGE);
  const [client] = clients(fetch);
  return compare(
    {
      'JSON.parse of 1 MB': repeating(async () => JSON.parse(await (await fetch()).text())),
      'SDK in JavaScript: answer of 1 MB': repeating(() => client.corpus.search('kurukṣetre')),
    },
    20,
  );
}

async function events() {
  const fetch = answering('text/event-stream', eventBody);
  const [client, peer] = clients(fetch);
  const all = (open) => async () => {
    let found = 0;
    for await (const _ of await open()) found++;
    if (found !== EVENTS) throw new Error(`${found} events of ${EVENTS}`);
  };
  return compare(
    {
      'lines split, data parsed': all(async () => split(await fetch())),
      'openai in Node: event': all(() => peer.get('/events', { stream: true })),
      'SDK in JavaScript: event': all(() => client.corpus.jobEvents('job_1')),
    },
    EVENTS,
  );
}

/** The least that reads events: no names, no ids, no CR. */
async function* split({ body }) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice(6));
  }
}

console.log(JSON.stringify({ ...(await calls()), ...(await largeAnswers()), ...(await events()) }));
process.exit();
