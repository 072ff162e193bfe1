/** Equal turns. */

import type { Balancer } from './balancer.js';
import { takeTurn } from './weighted.js';

/** Each member in its turn; weights count for nothing, but a slow start does. */
export const roundRobin: Balancer = (members) => takeTurn(members, (member) => member.ramp);
