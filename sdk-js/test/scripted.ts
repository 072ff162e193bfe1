/** A caller whose answers are written down beforehand, for what goes on from an answer. */

import type { Arguments, CallOptions, Operation } from '../src/runtime/call.js';
import type { Caller } from '../src/runtime/origin.js';
import { APIPromise } from '../src/runtime/promise.js';
import { SURROUNDINGS, type Surroundings } from '../src/runtime/surroundings.js';
import type { Answer } from '../src/runtime/wire.js';

/** A value, the headers that it comes with, or what the call is rejected with. */
export interface Scripted {
  readonly value?: unknown;
  readonly headers?: Record<string, string>;
  readonly error?: Error;
}

/** Answers in order, and records with what it was asked. */
export class ScriptedCaller implements Caller {
  readonly calls: {
    readonly operation: Operation;
    readonly args: Arguments;
    readonly options: CallOptions;
  }[] = [];
  readonly #script: Scripted[];
  readonly #surroundings: Surroundings;

  constructor(script: readonly Scripted[], surroundings: Surroundings = SURROUNDINGS) {
    this.#script = [...script];
    this.#surroundings = surroundings;
  }

  call<T, P extends APIPromise<T>>(
    operation: Operation<T, P>,
    args: Arguments,
    options: CallOptions = {},
  ): P {
    const Kind = operation.goesOn?.promise ?? APIPromise;
    const start = async () => {
      this.calls.push({ operation, args, options });
      const { value, headers, error } = this.#script.shift() ?? {
        error: new Error('nobody expected this call'),
      };
      if (error) throw error;
      const answer: Answer = {
        status: 200,
        headers: new Headers(headers),
        content: new Uint8Array(),
        attempts: 1,
      };
      options.onAnswer?.({ ...answer, requestId: '' });
      const origin = {
        client: this,
        surroundings: this.#surroundings,
        invocation: { operation, arguments: args, options },
        answer,
      };
      return { answer, understand: () => operation.goesOn?.bind(origin, value) ?? value };
    };
    return new Kind(start) as P; // as the operation says
  }
}
