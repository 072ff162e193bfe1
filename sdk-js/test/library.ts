/** A small API, as generated code describes one, and a server of it behind a `fetch`. */

import { jsonAnswer } from '../src/runtime/answers/responses.js';
import { anything } from '../src/runtime/answers/shapes.js';
import type { ApiSpec, Operation } from '../src/runtime/call.js';
import { APIClient } from '../src/runtime/client.js';
import { jsonBody } from '../src/runtime/encoding/json.js';
import { placed } from '../src/runtime/encoding/placed.js';
import type { ClientOptions } from '../src/runtime/settings.js';
import type { Fetch } from '../src/runtime/transport/over-fetch.js';
import { Clock } from './clock.js';

export const API: ApiSpec = {
  client: 'LibraryAPI',
  distribution: '@library/client',
  version: '1.2.3',
  baseURL: 'https://api.library.test/v1',
  environmentPrefix: 'LIBRARY',
  headerPrefix: 'X-Library-',
  schemes: [
    { key: 'apiKey', kind: 'api_key', parameter: 'X-API-Key' },
    { key: 'queryKey', kind: 'api_key', in: 'query', parameter: 'key' },
    { key: 'bearer', kind: 'bearer' },
  ],
};

export interface Document {
  readonly id: string;
}

export const GET: Operation<Document> = {
  key: 'documents.get',
  method: 'GET',
  path: '/documents/{id}',
  parameters: placed(['{id}']),
  responses: [jsonAnswer('200', anything)],
  security: [['apiKey'], ['bearer']],
  retry: 'safe',
};

export const CREATE: Operation<Document> = {
  key: 'documents.create',
  method: 'POST',
  path: '/documents',
  bodies: [jsonBody(['title'])],
  responses: [jsonAnswer('201', anything)],
  security: [['apiKey'], ['bearer']],
  retry: 'keyed',
};

/** As a generated class is. */
export class LibraryAPI extends APIClient {
  #documents: Documents | undefined;

  constructor(options?: ClientOptions) {
    super(API, options);
  }

  get documents(): Documents {
    this.#documents ??= new Documents(this);
    return this.#documents;
  }
}

export class Documents {
  readonly client: APIClient;

  constructor(client: APIClient) {
    this.client = client;
  }
}

/** What was sent. */
export interface Arrival {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly init: RequestInit;
}

type Reply = Response | Error | (() => Promise<Response>);

/** Answers in order, the last reply again and again; a function may take its time. */
export class Library {
  readonly arrivals: Arrival[] = [];
  readonly clock = new Clock(0.5);
  readonly #replies: Reply[];

  constructor(...replies: Reply[]) {
    this.#replies = replies;
  }

  readonly fetch: Fetch = async (url, init) => {
    this.arrivals.push({ url, method: init.method ?? '', headers: new Headers(init.headers), init });
    const reply = this.#replies.length > 1 ? this.#replies.shift() : this.#replies[0];
    if (reply instanceof Error) throw reply;
    if (typeof reply === 'function') return reply();
    return reply?.clone() ?? new Response();
  };

  /** The client of this server, on a clock of its own, with nothing in its environment. */
  client(options: ClientOptions = {}): LibraryAPI {
    return new LibraryAPI({
      fetch: this.fetch,
      ...options,
      surroundings: { ...this.clock, ...options.surroundings },
    });
  }
}

export function json(value: unknown, init: ResponseInit = {}): Response {
  return Response.json(value, init);
}
