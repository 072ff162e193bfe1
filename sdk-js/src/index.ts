/** The client, its errors and its options. */

export * from './generated/index.js';
export * from './runtime/index.js';
