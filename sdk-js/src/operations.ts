/** Every operation as a function of its own, and the client that they take. */

export * from './generated/operations/index.js';
