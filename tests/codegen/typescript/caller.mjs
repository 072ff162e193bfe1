/** Makes the calls of a file against a fetch that only listens, and tells what was sent and what came of it. */

import { readFileSync } from 'node:fs';

const [, , FOLDER, CASES] = process.argv;

/** What JSON cannot say. */
function revived(value) {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(revived);
  if ('$undefined' in value) return undefined;
  if ('$bytes' in value) return new Uint8Array(Buffer.from(value.$bytes, 'base64'));
  if ('$blob' in value) return new Blob([revived(value.$blob)]);
  if ('$iterable' in value) return { [Symbol.iterator]: () => value.$iterable.map(revived)[Symbol.iterator]() };
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, revived(member)]));
}

async function shown(value) {
  if (value === undefined) return { $undefined: true };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (typeof value.bytes === 'function') return { $bytes: Buffer.from(await value.bytes()).toString('base64') };
  return typeof value.close === 'function' ? await all(value) : value;
}

async function all(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

function listening(sent, answers) {
  return async (url, { method, headers, body, duplex }) => {
    const request = body ? new Request(url, { method, body, duplex }) : undefined;
    const content = request ? Buffer.from(await request.arrayBuffer()).toString('base64') : '';
    sent.push({ method, url, headers: [...new Headers(headers)], body: content });
    const answer = answers[Math.min(sent.length, answers.length) - 1] ?? { status: 204 };
    const told = answer.body === undefined ? null : Buffer.from(answer.body, 'base64');
    return new Response(told, { status: answer.status, headers: answer.headers });
  };
}

/** Waits take no time, and no limit is ever reached. */
function surroundings(warned, waited) {
  let now = 0;
  const timer = (afterMs, then, pause) => {
    if (pause) {
      now += afterMs;
      waited.push(afterMs);
      queueMicrotask(then);
    }
    return () => {};
  };
  return { now: () => now, timer, warn: (message) => warned.push(message), environment: {} };
}

async function called({ document, call, args, answers, settings, then }) {
  const [sent, warned, waited] = [[], [], []];
  const options = {
    maxRetries: 0,
    ...settings,
    fetch: listening(sent, answers),
    surroundings: surroundings(warned, waited),
  };
  const home = `${FOLDER}/out/${document}/generated`;
  const [name, ...owners] = call.split('.').reverse();
  try {
    let owner;
    const given = args.map(revived);
    if (name.endsWith('()')) {
      owner = await import(`${home}/operations/index.js`);
      given.unshift(owner.createClient(options));
    } else {
      const { AcmeAPI } = await import(`${home}/index.js`);
      owner = owners.reduceRight((found, step) => found[step], new AcmeAPI(options));
    }
    const result = owner[name.replace('()', '')](...given);
    let value = then === 'items' ? await all(result) : await result;
    if (then === 'wait') value = await value.wait();
    return { sent, warned, waited, value: await shown(value) };
  } catch (error) {
    return { sent, warned, waited, error: `${error.constructor.name}: ${error.message}` };
  }
}

const found = [];
for (const one of JSON.parse(readFileSync(CASES, 'utf8'))) found.push(await called(one));
console.log(JSON.stringify(found));
