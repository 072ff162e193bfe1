/** Attempts with a token that may have to be renewed. */

import type { Authorise } from '../flow/plan.js';
import { isAnswer } from '../wire.js';

/** Renews the token of a call once at most. */
export const authorise: Authorise = (tokens, attempt, now, leftMs, repeatable) => {
  let renewed = false;
  return function* authorised() {
    for (;;) {
      const token = tokens.ready(now()) ?? (yield { step: 'fetch', source: tokens, timeLeftMs: leftMs() });
      const outcome = yield* attempt([['authorization', `Bearer ${token}`]]);
      if (renewed || !isAnswer(outcome) || outcome.status !== 401) return outcome;
      renewed = true;
      tokens.refused(`${token}`);
      if (!repeatable()) return outcome;
    }
  };
};
