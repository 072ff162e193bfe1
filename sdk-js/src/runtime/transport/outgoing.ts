/** Bodies that are read while they are sent. */

import type { Body } from '../encoding/content.js';

/** The body of one attempt. */
export interface Outgoing {
  /** What `fetch` is given for it; where its size is known, `headers` say so. */
  readonly init: (headers: Headers) => Promise<RequestInit>;
  /** What reading the source threw, which `fetch` would wrap. */
  readonly thrown: () => { readonly error: unknown } | undefined;
  /** Lets go of the source. */
  readonly close: () => void;
}

/** `collects`: the runtime sends no streams, so that the body is read to its end first. */
export function outgoingOf(body: Body, collects: boolean): Outgoing {
  const chunks = body.chunks();
  let thrown: { error: unknown } | undefined;
  const next = async () => {
    try {
      return await chunks.next();
    } catch (error) {
      thrown = { error };
      throw error;
    }
  };
  return {
    async init(headers) {
      if (collects) return { body: await collected(next) };
      if (body.sizeBytes !== undefined) headers.set('content-length', `${body.sizeBytes}`);
      return streamed(next);
    },
    thrown: () => thrown,
    close: () => void chunks.return().catch(() => {}), // a source that is just read ends when that is over
  };
}

type Next = () => Promise<IteratorResult<Uint8Array, void>>;

async function collected(next: Next): Promise<Blob> {
  const parts: BlobPart[] = [];
  for (let piece = await next(); !piece.done; piece = await next()) {
    parts.push(piece.value as Uint8Array<ArrayBuffer>); // nothing here gives out shared memory
  }
  return new Blob(parts);
}

function streamed(next: Next): RequestInit {
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 }, // nothing is taken from the source before it can be sent
  );
  return { body: stream, duplex: 'half' } as RequestInit; // which the types of the DOM do not know yet
}
