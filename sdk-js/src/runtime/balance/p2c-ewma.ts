/** The better of two drawn at random, by peak EWMA latency: Finagle's P2C, made to know weights. */

import type { Balancer } from './balancer.js';
import type { Member } from './member.js';

/**
 * Of two distinct members, the one where the next attempt would wait less (Mitzenmacher 2001).
 *
 * No herd runs to the one that looks best to everybody, and the slow are avoided without a look at all.
 *
 * A weight is the part of the rounds that a member takes part in: the first is drawn in proportion to the weights, then a
 * bar uniformly between 0 and its weight, and the second from those whose weight reaches the bar. So with equal weights each
 * round is Finagle's; with equal loads each member is picked in exact proportion to its weight; and a weight of 3 beside 1
 * still loses its half of the rounds when it is slow.
 */
export const powerOfTwoChoices: Balancer = (members, now, random) => {
  const first = drawn(members, random());
  const bar = random() * first.weight;
  const rivals = members.filter((member) => member !== first && member.weight >= bar);
  const rival = rivals.length ? rivals[Math.floor(random() * rivals.length)] : undefined;
  return rival && load(rival, now) < load(first, now) ? rival : first;
};

/** One, in proportion to the weights; `chance` is from 0 to 1, exclusive. */
function drawn(members: readonly Member[], chance: number): Member {
  let total = 0;
  for (const { weight } of members) total += weight;
  const mark = chance * total;
  let reached = 0;
  const isReached = ({ weight }: Member) => {
    reached += weight;
    return mark < reached;
  };
  // Rounding may leave the mark at the very end.
  return members.find(isReached) ?? members.reduce((_, last) => last);
}

function load(member: Member, now: number): number {
  return member.latency.load(member.inFlight, now);
}
