/** Access tokens that end: held while they are good, renewed by one caller for all, and after a refusal. */

import type { TokenSource } from '../flow/plan.js';
import type { Surroundings } from '../surroundings.js';
import type { Transport } from '../wire.js';
import { authorise } from './authorise.js';

/** Longest time before its end at which a token is renewed, but for the jitter. */
const MARGIN_MS = 60_000;

/** An access token, and what is known of its end. */
export interface Token {
  readonly value: string;
  /**
   * Milliseconds from now.
   *
   * @default nobody knows, so that it is held until the server refuses it
   */
  readonly expiresInMs?: number | undefined;
  /** Renews it; empty where there is none. */
  readonly refreshToken?: string;
}

/** Gets a token from wherever tokens come from; never called while a call of it is under way. */
export type Obtain = (transport: Transport) => Promise<Token>;

interface Held {
  readonly value: string;
  readonly renewAt: number;
  readonly expiresAt: number;
}

/**
 * A token source: when to renew, and who does it; how is the affair of `obtain`.
 *
 * A token that is about to end is renewed by the first who notices, while the others go on with it. Should that fail, it is
 * used to its end. Once it has ended or was refused, all wait for one renewal and share what comes of it, even an error. A
 * renewal goes on when the caller that began it leaves: a server that rotates refresh tokens has spent one as soon as it was
 * asked.
 */
export class RenewedToken implements TokenSource {
  readonly authorise = authorise;
  readonly #obtain: Obtain;
  readonly #chances: Pick<Surroundings, 'now' | 'random'>;
  #held: Held | undefined;
  #flight: Promise<string> | undefined;

  constructor(obtain: Obtain, chances: Pick<Surroundings, 'now' | 'random'>) {
    this.#obtain = obtain;
    this.#chances = chances;
  }

  /** The token, unless it has to be fetched. */
  ready(now: number): string | undefined {
    const held = this.#held;
    if (!held || now >= held.expiresAt) return undefined;
    return now < held.renewAt || this.#flight ? held.value : undefined;
  }

  /** Tells that a 401 followed this token: the next fetch renews, unless somebody already did. */
  refused(token: string): void {
    if (this.#held?.value === token) this.#held = undefined;
  }

  /** The token, renewed where need be. Rejects with `TokenError`; with `TransportFailed` where another attempt may help. */
  async fetch(transport: Transport): Promise<string> {
    const token = this.ready(this.#chances.now());
    if (token !== undefined) return token;
    // Begun a moment later, when it can be seen to be under way.
    this.#flight ??= Promise.resolve(transport)
      .then((given) => this.#renewed(given))
      .finally(() => {
        this.#flight = undefined;
      });
    return this.#flight;
  }

  async #renewed(transport: Transport): Promise<string> {
    const { now } = this.#chances;
    const began = now();
    try {
      const token = await this.#obtain(transport);
      this.#held = this.#holding(token, began);
      return token.value;
    } catch (error) {
      const held = this.#held;
      const left = (held?.expiresAt ?? 0) - now();
      if (!held || left <= 0) throw error;
      // Half of what is left, so that a token endpoint that is down is not asked by every call.
      this.#held = { ...held, renewAt: now() + left / 2 };
      return held.value;
    }
  }

  /**
   * How long to hold a token: `expiresInMs` from when it was asked for, less a margin to renew in.
   *
   * `margin = min(60_000, expiresInMs / 10) * (1 + random())`, so that a fleet does not renew at once.
   */
  #holding({ value, expiresInMs = Infinity }: Token, began: number): Held {
    const expiresAt = began + expiresInMs;
    const marginMs = Math.min(MARGIN_MS, expiresInMs / 10) * (1 + this.#chances.random());
    return { value, renewAt: expiresAt - marginMs, expiresAt };
  }
}
