/** A race of two attempts: the second starts when the first is slow, and the first decisive outcome counts. */

import type { Surroundings } from '../surroundings.js';
import type { CallWatch } from '../watch/watch.js';
import { isAnswer, type Outcome, type Race, type Raced, type Send, type Transport } from '../wire.js';
import type { Attempt } from './attempts.js';
import type { Step } from './life.js';

/** Two attempts of a flow; `hedge` begins the second, if there is to be one. */
export function* hedged(
  first: Attempt,
  afterMs: number,
  hedge: () => Attempt | undefined,
  watch: CallWatch | undefined,
): Generator<Step, Outcome, unknown> {
  let second: Attempt | undefined;
  let raced: Raced | undefined;
  const begin = () => {
    second = hedge();
    if (second) watch?.hedged(second.number, afterMs);
    return second?.step;
  };
  try {
    // A driver answers Race with how it ended.
    raced = (yield { step: 'race', first: first.step, afterMs, second: begin, decisive, run: race }) as Raced;
  } finally {
    first.end(raced?.first);
    second?.end(raced?.second);
  }
  const ended = [raced.first, raced.second].filter((outcome) => outcome !== undefined);
  const counts = ended.find(decisive) ?? ended.at(-1);
  if (!counts) throw new TypeError('a race ended without an outcome');
  return counts;
}

/** Whether nothing better is to be expected of the other attempt. */
function decisive(outcome: Outcome): boolean {
  return isAnswer(outcome) && outcome.status < 500 && outcome.status !== 429;
}

/**
 * Runs both, and gives up the one that is still under way when the other has decided.
 *
 * Rejects with what the first attempt to fail otherwise was rejected with, such as an error of the caller's own body, or
 * with the reason of `signal`.
 */
export function race(
  step: Race,
  transport: Transport,
  { timer }: Surroundings,
  signal: AbortSignal | undefined,
): Promise<Raced> {
  return new Promise((resolve, reject) => {
    const outcomes: [Outcome | undefined, Outcome | undefined] = [undefined, undefined];
    const attempts: AbortController[] = [];
    let underWay = 0;
    let over = false;

    /** Gives up all attempts but one; the answer of that may still be arriving, for as long as the caller wants it. */
    function end(settle: () => void, winner?: number): void {
      if (over) return;
      over = true;
      cancel();
      attempts.forEach((attempt, number) => {
        if (number !== winner) attempt.abort();
      });
      const won = winner === undefined ? undefined : outcomes[winner];
      if (!isAnswer(won) || !won.reader) signal?.removeEventListener('abort', leave);
      settle();
    }
    const leave = () => {
      for (const attempt of attempts) attempt.abort(signal?.reason);
      end(() => reject(signal?.reason));
    };
    const begin = (number: 0 | 1, send: Send) => {
      const attempt = new AbortController();
      attempts[number] = attempt;
      underWay++;
      transport.send(send, attempt.signal).then(
        (outcome) => {
          underWay--;
          if (over) return discard(outcome);
          outcomes[number] = outcome;
          if (step.decisive(outcome) || !underWay)
            end(() => resolve({ first: outcomes[0], second: outcomes[1] }), number);
          return undefined;
        },
        (error: unknown) => end(() => reject(error)),
      );
    };
    const cancel = timer(step.afterMs, () => {
      try {
        const second = step.second();
        if (second) begin(1, second);
      } catch (error) {
        end(() => reject(error));
      }
    });
    signal?.addEventListener('abort', leave);
    begin(0, step.first);
  });
}

/** Frees the connection of an answer that came too late. */
function discard(outcome: Outcome): Promise<void> | undefined {
  return isAnswer(outcome) ? outcome.reader?.close() : undefined;
}
