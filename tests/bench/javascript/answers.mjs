/** What the API answers: a small object, a large one, and a series of events. */

export const OVERVIEW = {
  generated_at: '2026-01-01T00:00:00Z',
  state: 'up',
  services: [
    { name: 'corpus', state: 'up', latency_ms: 1.5 },
    { name: 'compression', state: 'up', latency_ms: 0.5 },
  ],
};

const hit = (number) => ({
  id: `doc_${number}`,
  title: `Bhagavadgītā ${number}`,
  language: 'sa',
  score: 1 / (number + 1),
  snippet: 'dharmakṣetre kurukṣetre samavetā yuyutsavaḥ '.repeat(4),
});

/** About 1 MB: a page of hits. */
export const PAGE = new TextEncoder().encode(
  JSON.stringify({
    total: 3800,
    documents: Array.from({ length: 3800 }, (_, number) => hit(number)),
    next_cursor: null,
  }),
);

export const EVENTS = 5000;
const CHUNK_BYTES = 16 * 1024; // as they come from a socket

/** Server-sent events with names and ids, in pieces. */
export const CHUNKS = pieces(
  Array.from({ length: EVENTS }, (_, number) => {
    const event = {
      sequence: number,
      job_id: 'job_5f0c8e9a1b2d4c37',
      state: 'running',
      documents_total: EVENTS,
      documents_added: number,
      documents_unchanged: 0,
    };
    return `id: ${number}\nevent: progress\ndata: ${JSON.stringify(event)}\n\n`;
  }).join(''),
);

function pieces(text) {
  const bytes = new TextEncoder().encode(text);
  const found = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) found.push(bytes.subarray(at, at + CHUNK_BYTES));
  return found;
}

/** A fetch without a network. */
export const answering = (contentType, body) => async () =>
  new Response(body(), { headers: { 'content-type': contentType } });

/** The body of `CHUNKS`, read once. */
export function eventBody() {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < CHUNKS.length) controller.enqueue(CHUNKS[at++]);
      else controller.close();
    },
  });
}
