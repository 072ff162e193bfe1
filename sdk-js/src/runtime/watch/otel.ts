/**
 * OpenTelemetry: a span for each call, and below it one for each attempt, from which the server goes on.
 *
 *     import * as api from '@opentelemetry/api';
 *     const client = new DhatuAPI({ tracer: openTelemetry(api) });
 *
 * It is never on by itself: who traces fetch already would see every attempt twice. Needs `@opentelemetry/api`, which the
 * caller brings along, so that this package depends on nothing.
 *
 * Attempts follow the semantic conventions of HTTP client spans (1.23 and later). No attribute holds a query, a body or a
 * credential. The spans of a streamed answer end where it begins.
 */

import { type HeaderList, isAnswer, type Outcome } from '../wire.js';
import { errorName } from './events.js';
import type { AttemptSpan, CallSpan, Tracer } from './watch.js';

type AttributeValue = string | number | boolean | string[];

/** A span, as far as one is used. */
export interface OtelSpan {
  setAttribute(key: string, value: AttributeValue): unknown;
  setStatus(status: { code: number }): unknown;
  end(): void;
}

/** What makes spans, as far as it is used; `C` is the API's context. */
export interface OtelTracer<C, S extends OtelSpan> {
  startSpan(
    name: string,
    options: { kind: number; attributes: Record<string, AttributeValue> },
    context: C,
  ): S;
}

/** Writes a context into headers. */
export interface OtelPropagator<C> {
  inject(context: C, carrier: Record<string, string>, setter: OtelSetter): void;
}

export interface OtelSetter {
  set(carrier: Record<string, string>, key: string, value: string): void;
}

/** What `@opentelemetry/api` exports, as far as it is used. */
export interface OtelAPI<C, S extends OtelSpan> {
  readonly context: { active(): C };
  readonly propagation: OtelPropagator<C>;
  readonly trace: {
    getTracer(name: string): OtelTracer<C, S>;
    setSpan(context: C, span: S): C;
  };
}

/** What `openTelemetry` may be given. */
export interface OtelOptions<C, S extends OtelSpan> {
  /**
   * What calls itself the source of the spans.
   *
   * @default 'api-client'
   */
  readonly name?: string | undefined;
  /** In place of what the program has set. */
  readonly tracerProvider?: { getTracer(name: string): OtelTracer<C, S> } | undefined;
  /** In place of what the program has set: by default W3C Trace Context and Baggage. */
  readonly propagator?: OtelPropagator<C> | undefined;
}

const METHODS = /^(CONNECT|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT|QUERY|TRACE)$/;
/** SpanKind and SpanStatusCode of the API. */
const INTERNAL = 0;
const CLIENT = 2;
const ERROR = 2;

const SETTER: OtelSetter = {
  set(carrier, key, value) {
    carrier[key] = value;
  },
};

/** Makes spans of calls, for the option `tracer` of a client; those of other clients may share it. */
export function openTelemetry<C, S extends OtelSpan>(
  api: OtelAPI<C, S>,
  { name = 'api-client', tracerProvider, propagator }: OtelOptions<C, S> = {},
): Tracer {
  const tracer = (tracerProvider ?? api.trace).getTracer(name);
  const headersIn = (context: C): HeaderList => {
    const carrier: Record<string, string> = {};
    (propagator ?? api.propagation).inject(context, carrier, SETTER);
    return Object.entries(carrier).map(([header, text]) => [header.toLowerCase(), text]);
  };
  return {
    startCall(operation, template) {
      const active = api.context.active();
      const attributes = { 'url.template': template };
      const span = tracer.startSpan(operation, { kind: INTERNAL, attributes }, active);
      return callSpan(span, (attempt, method, url) => {
        const below = api.trace.setSpan(active, span);
        const [spanName, attributes] = attemptAttributes(attempt, method, url, template);
        const own = tracer.startSpan(spanName, { kind: CLIENT, attributes }, below);
        return attemptSpan(own, headersIn(api.trace.setSpan(below, own)));
      });
    },
  };
}

function callSpan(span: OtelSpan, startAttempt: CallSpan['startAttempt']): CallSpan {
  return {
    startAttempt,
    end(_, error) {
      const name = error === undefined ? '' : errorName(error);
      if (name === 'Cancelled') span.setAttribute('error.type', 'cancelled');
      else if (name) fail(span, name);
      span.end();
    },
  };
}

function attemptSpan(span: OtelSpan, headers: HeaderList): AttemptSpan {
  return {
    headers,
    end(outcome: Outcome | undefined) {
      if (!outcome) span.setAttribute('error.type', 'cancelled');
      else if (isAnswer(outcome)) {
        const requestId = outcome.headers.get('x-request-id');
        span.setAttribute('http.response.status_code', outcome.status);
        if (requestId) span.setAttribute('http.response.header.x-request-id', [requestId]);
        if (outcome.status >= 400) fail(span, String(outcome.status));
      } else fail(span, outcome.kind);
      span.end();
    },
  };
}

/** Name and attributes of the span of an attempt. */
function attemptAttributes(
  attempt: number,
  method: string,
  url: string,
  template: string,
): [string, Record<string, AttributeValue>] {
  const { protocol, hostname, port } = new URL(url);
  const isKnown = METHODS.test(method);
  const attributes: Record<string, AttributeValue> = {
    'http.request.method': isKnown ? method : '_OTHER',
    'url.full': url,
    'url.template': template,
    'server.address': hostname.replace(/^\[|\]$/g, ''),
    'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
  };
  if (!isKnown) attributes['http.request.method_original'] = method;
  if (attempt > 1) attributes['http.request.resend_count'] = attempt - 1;
  return [`${isKnown ? method : 'HTTP'} ${template}`, attributes];
}

function fail(span: OtelSpan, kind: string): void {
  span.setAttribute('error.type', kind);
  span.setStatus({ code: ERROR });
}
