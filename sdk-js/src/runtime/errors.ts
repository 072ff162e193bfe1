/**
 * Everything that a call can be rejected with.
 *
 *     DhatuError
 *     ├── ConfigurationError            the client was set up wrongly
 *     ├── ArgumentError                 a call's arguments cannot be sent
 *     ├── TokenError                    no access token could be had
 *     ├── DiscoveryError                where the API is served could not be found out
 *     ├── BreakerOpenError              refused here, because the server kept failing
 *     ├── TransportError                no answer arrived
 *     │   ├── ConnectionFailedError     nothing was sent
 *     │   │   └── ConnectTimeoutError
 *     │   ├── ConnectionLostError       the connection broke after sending had begun
 *     │   └── CallTimeoutError          no answer, or not all of it, in time
 *     │       └── DeadlineExceededError the time for the whole call, retries included, ran out
 *     ├── DecodingError                 an answer arrived that does not match the API's description
 *     ├── ChecksumError                 a download arrived that does not match its checksum
 *     ├── PaginationError               the pages of a list go round in circles
 *     ├── JobFailedError                work that an operation began did not succeed
 *     ├── JobTimeoutError               ... or did not end in time
 *     └── APIStatusError                an answer arrived that says no
 *         ├── BadRequestError           400
 *         ├── AuthenticationError       401
 *         ├── PermissionDeniedError     403
 *         ├── NotFoundError             404
 *         ├── ConflictError             409
 *         ├── ContentTooLargeError      413
 *         ├── UnsupportedMediaTypeError 415
 *         ├── UnprocessableEntityError  422
 *         ├── RateLimitedError          429
 *         ├── ServerError               5xx
 *         └── StreamError               said in the middle of a stream that had begun as a success
 *
 * No message holds a credential, a header, a query or a body. A call that its caller aborts is rejected with the
 * reason of the signal, which is none of these.
 */

export * from './errors/local.js';
export * from './errors/refusals.js';
