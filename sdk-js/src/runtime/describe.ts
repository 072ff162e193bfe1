/** What generated modules are made of: types and factories; nothing here does anything by itself. */

export { type BinaryResponse, bytesAnswer } from './answers/binary.js';
export { emptyAnswer, jsonAnswer, textAnswer } from './answers/responses.js';
export {
  all,
  anything,
  array,
  boolean,
  integer,
  lazy,
  nothing,
  nullable,
  number,
  object,
  oneOf,
  record,
  type Shape,
  string,
  tagged,
  union,
} from './answers/shapes.js';
export { type EventStream, eventsAnswer, linesAnswer, type StreamEvent } from './answers/streams.js';
export { arranged } from './arranged.js';
export type {
  AnswerHead,
  ApiSpec,
  Arguments,
  BodySpec,
  CallOptions,
  FieldSpec,
  GrantSpec,
  OnProgress,
  Operation,
  ParameterSpec,
  Progress,
  ResponseSpec,
  RetryClass,
  SchemeSpec,
} from './call.js';
export { APIClient } from './client.js';
export { bytesBody } from './encoding/bytes.js';
export type { Content, Series } from './encoding/content.js';
export { formBody } from './encoding/forms.js';
export { jsonBody } from './encoding/json.js';
export { linesBody } from './encoding/lines.js';
export { multipartBody } from './encoding/multipart.js';
export { placed } from './encoding/placed.js';
export { styled } from './encoding/styles.js';
export { textBody } from './encoding/text.js';
export { type Job, type JobMethods, job, type WaitOptions } from './jobs.js';
export type { Caller, GoesOn } from './origin.js';
export { type Page, type PageMethods, PagePromise, page } from './pages.js';
export type { APIPromise, WithResponse } from './promise.js';
export type { ChangeableOptions, ClientOptions } from './settings.js';
