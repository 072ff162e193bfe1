/** The public surface of the runtime, beside what is generated. */

export type { BinaryResponse, SaveOptions } from './answers/binary.js';
export type { RawResponse } from './answers/raw.js';
export type { EventStream, StreamEvent } from './answers/streams.js';
export type { AuthOptions, SchemeCredential } from './auth/given.js';
export {
  APIKeyGrant,
  type APIKeyGrantOptions,
  ClientCredentials,
  type ClientCredentialsOptions,
  type Grant,
  PasswordGrant,
  type PasswordGrantOptions,
  RefreshToken,
  type RefreshTokenOptions,
} from './auth/grants.js';
export type { ProvidedToken, TokenProvider } from './auth/provider.js';
export type { Token } from './auth/tokens.js';
export { ConsulEndpoints, type ConsulEndpointsOptions } from './balance/consul.js';
export { DnsEndpoints, type DnsEndpointsOptions } from './balance/dns.js';
export type { Algorithm, BalancePolicy, EjectionPolicy } from './balance/policy.js';
export { StaticEndpoints } from './balance/static.js';
export type { AnswerHead, CallOptions, OnProgress, Progress } from './call.js';
export { APIClient } from './client.js';
export type { Content } from './encoding/content.js';
export {
  ArgumentError,
  BreakerOpenError,
  CallTimeoutError,
  ChecksumError,
  ConfigurationError,
  ConnectionFailedError,
  ConnectionLostError,
  ConnectTimeoutError,
  DeadlineExceededError,
  DecodingError,
  DhatuError,
  DiscoveryError,
  JobFailedError,
  JobTimeoutError,
  PaginationError,
  TokenError,
  type TokenRefusal,
  TransportError,
} from './errors/local.js';
export {
  APIStatusError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  ContentTooLargeError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitedError,
  type Refusal,
  ServerError,
  StreamError,
  UnprocessableEntityError,
  UnsupportedMediaTypeError,
} from './errors/refusals.js';
export type { EndpointProvider } from './flow/endpoints.js';
export type { Job, WaitOptions } from './jobs.js';
export type { Page, PagePromise } from './pages.js';
export type { BreakerPolicy } from './policies/breaker.js';
export type { BudgetPolicy } from './policies/budget.js';
export type { HedgePolicy } from './policies/hedge.js';
export type { RetryPolicy } from './policies/retry.js';
export type { FieldError, Problem } from './problem.js';
export type { APIPromise, WithResponse } from './promise.js';
export type { Resilience } from './resilience.js';
export type { BaseURL, ChangeableOptions, ClientOptions } from './settings.js';
export type { Fetch } from './transport/over-fetch.js';
export type {
  AttemptFinished,
  AttemptStarted,
  BreakerChanged,
  CallFinished,
  CallStarted,
  EndpointEjected,
  EndpointRestored,
  Event,
  Hedged,
  Paced,
  RetryScheduled,
} from './watch/events.js';
export { type OtelAPI, type OtelOptions, openTelemetry } from './watch/otel.js';
export type { AttemptSpan, CallSpan, Listener, Tracer } from './watch/watch.js';
export type { Answer, Endpoint, Failure, FailureKind, Outcome } from './wire.js';
