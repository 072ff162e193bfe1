/** Spans of calls and attempts, and what of them reaches the server. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionFailedError } from '../../src/runtime/errors.js';
import { type OtelSetter, openTelemetry } from '../../src/runtime/watch/otel.js';
import type { Answer, Outcome } from '../../src/runtime/wire.js';

/** A context holds the span that is the current one. */
type Context = Span | undefined;

class Span {
  readonly name: string;
  readonly kind: number;
  readonly attributes: Record<string, unknown>;
  readonly parent: Context;
  status: number | undefined;
  ended = false;

  constructor(name: string, kind: number, attributes: Record<string, unknown>, parent: Context) {
    this.name = name;
    this.kind = kind;
    this.attributes = { ...attributes };
    this.parent = parent;
  }

  setAttribute(key: string, value: unknown): void {
    this.attributes[key] = value;
  }

  setStatus({ code }: { readonly code: number }): void {
    this.status = code;
  }

  end(): void {
    this.ended = true;
  }
}

/** As `@opentelemetry/api` is, and keeps the spans. */
class Recorder {
  readonly spans: Span[] = [];
  readonly names: string[] = [];
  active: Context;
  readonly context = { active: () => this.active };
  readonly trace = {
    getTracer: (name: string) => {
      this.names.push(name);
      return {
        startSpan: (
          span: string,
          { kind, attributes }: { readonly kind: number; readonly attributes: Record<string, unknown> },
          parent: Context,
        ) => {
          const started = new Span(span, kind, attributes, parent);
          this.spans.push(started);
          return started;
        },
      };
    },
    setSpan: (_: Context, span: Span): Context => span,
  };
  readonly propagation = {
    inject: (context: Context, carrier: Record<string, string>, setter: OtelSetter) =>
      setter.set(carrier, 'TraceParent', `00-${this.#numberOf(context)}`),
  };

  #numberOf(context: Context): number {
    return context ? this.spans.indexOf(context) : -1;
  }
}

function answer(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers: new Headers(headers), content: new Uint8Array(), attempts: 1 };
}

/** The spans of a call with these attempts: the call's, and then theirs. */
function traced(
  outcomes: readonly (Outcome | undefined)[],
  { error, method = 'GET', url = 'https://api.sample.test/base/documents' }: TracedOptions = {},
) {
  const api = new Recorder();
  api.active = new Span('work', 0, {}, undefined);
  const call = openTelemetry(api).startCall('documents.get', '/documents');
  const sent = outcomes.map((outcome, index) => {
    const attempt = call.startAttempt(index + 1, method, url);
    attempt.end(outcome);
    return attempt.headers;
  });
  call.end(outcomes.length, error);
  const [whole, ...attempts] = api.spans;
  assert(whole && api.spans.every((span) => span.ended));
  return { api, whole, attempts, sent };
}

interface TracedOptions {
  readonly error?: unknown;
  readonly method?: string;
  readonly url?: string;
}

test('a call is a span with one below it for each attempt', () => {
  const { api, whole, attempts, sent } = traced([answer(503, { 'x-request-id': 'r1' }), answer(200)]);
  assert.deepEqual(
    [whole.name, whole.kind, whole.attributes, whole.status],
    ['documents.get', 0, { 'url.template': '/documents' }, undefined],
  );
  assert.equal(whole.parent, api.active);
  const common = {
    'http.request.method': 'GET',
    'url.full': 'https://api.sample.test/base/documents',
    'url.template': '/documents',
    'server.address': 'api.sample.test',
    'server.port': 443,
  };
  const [first, second] = attempts;
  assert(first && second);
  for (const { name, kind, parent } of attempts)
    assert.deepEqual([name, kind, parent], ['GET /documents', 2, whole]);
  assert.deepEqual(first.attributes, {
    ...common,
    'http.response.status_code': 503,
    'http.response.header.x-request-id': ['r1'],
    'error.type': '503',
  });
  assert.equal(first.status, 2);
  assert.deepEqual(second.attributes, {
    ...common,
    'http.response.status_code': 200,
    'http.request.resend_count': 1,
  });
  assert.equal(second.status, undefined);
  // Each attempt carries the context of its own span.
  assert.deepEqual(sent, [[['traceparent', '00-1']], [['traceparent', '00-2']]]);
});

test('a failure is named on both', () => {
  const error = new ConnectionFailedError('refused', 'documents.get', 1);
  const { whole, attempts } = traced([{ kind: 'connect', cause: error }], { error });
  assert.equal(whole.attributes['error.type'], 'ConnectionFailedError');
  assert.equal(attempts[0]?.attributes['error.type'], 'connect');
  assert.deepEqual([whole.status, attempts[0]?.status], [2, 2]);
});

test('a call that its caller left is no error', () => {
  const { whole, attempts } = traced([undefined], { error: { name: 'Cancelled' } });
  assert.equal(whole.attributes['error.type'], 'cancelled');
  assert.equal(attempts[0]?.attributes['error.type'], 'cancelled');
  assert.deepEqual([whole.status, attempts[0]?.status], [undefined, undefined]);
});

test('a method that nobody knows is not a name', () => {
  const [attempt] = traced([answer(200)], { method: 'PURGE' }).attempts;
  assert.equal(attempt?.name, 'HTTP /documents');
  assert.equal(attempt.attributes['http.request.method'], '_OTHER');
  assert.equal(attempt.attributes['http.request.method_original'], 'PURGE');
});

test('address and port are those of the server', () => {
  const [attempt] = traced([answer(200)], { url: 'http://[::1]:8080/documents' }).attempts;
  assert.equal(attempt?.attributes['server.address'], '::1');
  assert.equal(attempt.attributes['server.port'], 8080);
  assert.equal(traced([answer(200)], { url: 'http://a.test/' }).attempts[0]?.attributes['server.port'], 80);
});

test('provider, propagator and name may be given', () => {
  const api = new Recorder();
  const own = new Recorder();
  const propagator = { inject: () => {} };
  const tracer = openTelemetry(api, { name: 'mine', tracerProvider: own.trace, propagator });
  assert.deepEqual(tracer.startCall('a', '/a').startAttempt(1, 'GET', 'https://a.test/a').headers, []);
  assert.deepEqual([api.names, own.names], [[], ['mine']]);
  assert.equal(own.spans.length, 2);
});
