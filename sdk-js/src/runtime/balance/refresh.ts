/** When a provider of endpoints is asked again, and by whom. */

import type { EndpointProvider } from '../flow/endpoints.js';
import type { Endpoint, Source, Transport } from '../wire.js';

/**
 * Asks a provider when its last answer has grown old: one caller does, the others use what is known.
 *
 * A provider that fails is asked again after a tenth of its time; its last answer holds until then, and only where there is
 * none yet does its error reach the callers, which wait for one answer together.
 */
export class Refresh implements Source {
  readonly #provider: EndpointProvider;
  readonly #update: (endpoints: readonly Endpoint[]) => void;
  readonly #now: () => number;
  #due = -Infinity;
  #isKnown = false;
  #asking: Promise<void> | undefined;

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
    if (this.#isKnown) this.#due = now + this.#provider.refreshMs;
    return this;
  }

  fetch(transport: Transport): Promise<void> {
    this.#asking ??= this.#asked(transport).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #asked(transport: Transport): Promise<void> {
    const { refreshMs } = this.#provider;
    try {
      this.#update(await this.#provider.endpoints(transport));
      this.#isKnown = true;
      this.#due = this.#now() + refreshMs;
    } catch (error) {
      if (!this.#isKnown) throw error;
      this.#due = this.#now() + refreshMs / 10;
    }
  }
}
