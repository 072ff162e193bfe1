/** What a balancer is, and which there are. */

import { leastConnections } from './least-connections.js';
import type { Member } from './member.js';
import { powerOfTwoChoices } from './p2c-ewma.js';
import type { Algorithm } from './policy.js';
import { roundRobin } from './round-robin.js';
import { smoothWeighted } from './weighted.js';

/**
 * Picks one of the members, once for each attempt.
 *
 * There is always one; which ones there are may change from call to call. `random` gives from 0 to 1, exclusive.
 */
export type Balancer = (members: readonly Member[], now: number, random: () => number) => Member;

export const BALANCERS: Readonly<Record<Algorithm, Balancer>> = {
  p2c_ewma: powerOfTwoChoices,
  round_robin: roundRobin,
  weighted: smoothWeighted,
  least_connections: leastConnections,
};
