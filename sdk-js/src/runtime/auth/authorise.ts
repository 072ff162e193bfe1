/** Attempts with a token that may have to be renewed. */

import type { Part } from '../flow/life.js';
import type { Authorise } from '../flow/plan.js';
import { isAnswer, type Outcome } from '../wire.js';

/** Renews the token of a call once at most. */
export const authorise: Authorise = (...given) => {
  const call = { renewed: false };
  return () => authorised(call, ...given);
};

function* authorised(
  call: { renewed: boolean },
  ...[tokens, attempt, now, leftMs, repeatable]: Parameters<Authorise>
): Part<Outcome> {
  for (;;) {
    const token = tokens.ready(now()) ?? (yield { step: 'fetch', source: tokens, timeLeftMs: leftMs() });
    const outcome = yield* attempt([['authorization', `Bearer ${token}`]]);
    if (call.renewed || !isAnswer(outcome) || outcome.status !== 401) return outcome;
    call.renewed = true;
    tokens.refused(`${token}`);
    if (!repeatable()) return outcome;
  }
}
