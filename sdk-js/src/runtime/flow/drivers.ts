/** Carries a flow out, and decides nothing. */

import { type Surroundings, sleep } from '../surroundings.js';
import { limitsOf } from '../transport/limits.js';
import type { Answer, Fetch, Transport } from '../wire.js';
import type { Flow, Step } from './life.js';

/** The answer that a flow ends with; rejects with the reason of `signal` where the caller aborts, which closes the flow. */
export async function run(
  flow: Flow,
  transport: Transport,
  surroundings: Surroundings,
  signal?: AbortSignal,
): Promise<Answer> {
  try {
    let next = flow.next();
    while (!next.done) {
      let result: unknown;
      try {
        signal?.throwIfAborted();
        result = await carryOut(next.value, transport, surroundings, signal);
      } catch (error) {
        signal?.throwIfAborted();
        next = flow.throw(error); // to settle what is under way, and perhaps to try again
        continue;
      }
      next = flow.next(result);
    }
    return next.value;
  } finally {
    // What a closed flow returns, nobody sees.
    flow.return(undefined as never);
  }
}

function carryOut(
  step: Step,
  transport: Transport,
  surroundings: Surroundings,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  switch (step.step) {
    case 'send':
      return transport.send(step, signal);
    case 'sleep':
      return sleep(surroundings, step.delayMs, signal);
    case 'race':
      return step.run(step, transport, surroundings, signal);
    case 'load':
      return step.module().catch(() => undefined);
    case 'fetch':
      return fetched(step, transport, surroundings, signal);
  }
}

/** What is fetched goes on for those who wait for it as well, when this caller leaves. */
async function fetched(
  { source, timeLeftMs }: Fetch,
  transport: Transport,
  surroundings: Surroundings,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const limits = limitsOf(surroundings, signal);
  limits.set(timeLeftMs);
  try {
    return await limits.within(source.fetch(transport));
  } finally {
    limits.release(false);
  }
}
