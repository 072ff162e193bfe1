/** A list of endpoints that is asked for again and again. */

import type { Endpoint, Source, Transport } from '../wire.js';
import type { EndpointProvider } from './endpoints.js';

/**
 * Asks a provider when its last answer has grown old: one caller does, the others use what is known.
 *
 * A provider that fails is asked again after a tenth of its time; its last answer holds until then, and only where there
 * is none yet does its error reach the caller.
 */
export class Refresh implements Source {
  readonly #provider: EndpointProvider;
  readonly #update: (endpoints: readonly Endpoint[]) => void;
  readonly #now: () => number;
  #due = Number.NEGATIVE_INFINITY;
  #known = false;

  constructor(
    provider: EndpointProvider,
    update: (endpoints: readonly Endpoint[]) => void,
    now: () => number,
  ) {
    this.#provider = provider;
    this.#update = update;
    this.#now = now;
  }

  /** Itself, for the one caller that is to ask; for every caller until there is a first answer. */
  due(now: number): Source | undefined {
    if (now < this.#due) return undefined;
    if (this.#known) this.#due = now + this.#provider.refreshMs;
    return this;
  }

  async fetch(transport: Transport): Promise<void> {
    try {
      this.#update(await this.#provider.endpoints(transport));
    } catch (error) {
      if (!this.#known) throw error;
      this.#due = this.#now() + this.#provider.refreshMs / 10;
      return;
    }
    this.#known = true;
    this.#due = this.#now() + this.#provider.refreshMs;
  }
}
