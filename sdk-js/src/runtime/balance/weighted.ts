/** Turns in proportion to the weights, spread evenly: nginx's smooth weighted round robin. */

import type { Balancer } from './balancer.js';
import type { Member } from './member.js';
import { sum } from './sum.js';

/**
 * Weights 5, 1, 1 give a a b a c a a, not a a a a a b c.
 *
 * At each pick everybody's turn grows by their weight; the largest is picked and pays the sum of them.
 */
export const smoothWeighted: Balancer = (members) => takeTurn(members, (member) => member.weight);

/** The member whose turn it is; the turns of those that are not among them stay as they are. */
export function takeTurn(members: readonly Member[], weigh: (member: Member) => number): Member {
  const weights = members.map(weigh);
  for (const [index, member] of members.entries()) member.turn += weights[index] ?? 0;
  const chosen = members.reduce((one, other) => (other.turn > one.turn ? other : one));
  chosen.turn -= sum(weights);
  return chosen;
}
