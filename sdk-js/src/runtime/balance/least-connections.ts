/** The least busy: nginx's least_conn. */

import type { Balancer } from './balancer.js';
import { smoothWeighted } from './weighted.js';

/**
 * The fewest attempts under way for its weight; equals take turns by weight.
 *
 * One pass over all, which is right for the dozens of endpoints that a client has. It knows the attempts of this client
 * alone.
 */
export const leastConnections: Balancer = (members, now, random) => {
  const busy = members.map((member) => member.inFlight / member.weight);
  const least = Math.min(...busy);
  const idle = members.filter((_, index) => busy[index] === least);
  const [only] = idle;
  return only && idle.length === 1 ? only : smoothWeighted(idle, now, random);
};
