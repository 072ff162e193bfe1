/** What a pool knows of one endpoint. */

import type { Endpoint } from '../wire.js';
import { Health } from './health.js';
import { PeakEwma } from './latency.js';

/** One endpoint of a pool and its statistics. */
export class Member {
  endpoint: Endpoint;
  inFlight = 0;
  readonly latency: PeakEwma;
  readonly health: Health;
  /** The part of its weight that it has now, from above 0 to 1: less than 1 during its slow start. */
  ramp = 1;
  /** When the slow start began; undefined outside of one. */
  rampFrom: number | undefined;
  /** How much its turn is due (nginx's `current_weight`). */
  turn = 0;

  constructor(endpoint: Endpoint, now: number) {
    this.endpoint = endpoint;
    this.latency = new PeakEwma(now);
    this.health = new Health(now);
  }

  /** Its weight now. */
  get weight(): number {
    return (this.endpoint.weight ?? 1) * this.ramp;
  }
}
