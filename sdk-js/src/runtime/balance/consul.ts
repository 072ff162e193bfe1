/** The healthy instances of a service that Consul knows. */

import { checkedSecret } from '../auth/credentials.js';
import { ConfigurationError, DiscoveryError } from '../errors/local.js';
import type { EndpointProvider } from '../flow/endpoints.js';
import { checkedURL } from '../urls.js';
import {
  type Endpoint,
  type HeaderList,
  isAnswer,
  type Outcome,
  type Send,
  type Transport,
  withoutUser,
} from '../wire.js';
import { checkedMs, inURL } from './provider.js';

/** Where Consul is, and which service it is asked for. */
export interface ConsulEndpointsOptions {
  /** Its name in Consul. */
  readonly service: string;
  /**
   * Of Consul.
   *
   * @default 'http://127.0.0.1:8500'
   */
  readonly address?: string | undefined;
  /**
   * Only instances with it.
   *
   * @default all
   */
  readonly tag?: string | undefined;
  /** @default the agent's own */
  readonly datacenter?: string | undefined;
  /** An ACL token; never shown. */
  readonly token?: string | undefined;
  /**
   * How the instances are spoken to. fetch compares their certificates with the addresses that Consul has for them.
   *
   * @default 'http'
   */
  readonly scheme?: 'http' | 'https' | undefined;
  /**
   * Where the API begins at an instance: `/api`.
   *
   * @default ''
   */
  readonly path?: string | undefined;
  /**
   * How often Consul is asked.
   *
   * @default 10_000
   */
  readonly refreshMs?: number | undefined;
  /**
   * For Consul to answer; a call that has to wait for it has as much less.
   *
   * @default 2_000
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * The instances that pass their health checks, asked for every `refreshMs` over Consul's HTTP API
 * (`/v1/health/service/corpus?passing=true`), and weighed by `Weights.Passing`.
 *
 * @example
 * new DhatuAPI({ baseURL: new ConsulEndpoints({ service: 'corpus' }) });
 */
export class ConsulEndpoints implements EndpointProvider {
  readonly refreshMs: number;
  readonly #given: ConsulEndpointsOptions;
  readonly #address: string;
  readonly #timeoutMs: number;

  /** Throws `ConfigurationError`. */
  constructor(given: ConsulEndpointsOptions) {
    const { service, scheme, path, address = 'http://127.0.0.1:8500', token = '' } = given;
    if (!service) throw new ConfigurationError('service must name the service in Consul');
    if (scheme !== undefined && !/^https?$/.test(scheme))
      throw new ConfigurationError(`scheme must be http or https, not ${scheme}`);
    if (path && !path.startsWith('/'))
      throw new ConfigurationError(`path must begin with a slash, not be ${path}`);
    checkedSecret(token, 'token of ConsulEndpoints()');
    this.#given = given;
    this.#address = checkedURL(address, 'address of ConsulEndpoints()');
    this.#timeoutMs = checkedMs(given.timeoutMs ?? 2_000, 'timeoutMs');
    this.refreshMs = checkedMs(given.refreshMs ?? 10_000, 'refreshMs');
  }

  /** Rejects with `DiscoveryError`. */
  async endpoints(transport: Transport): Promise<readonly Endpoint[]> {
    return this.#listed(await transport.send(this.#question(), undefined));
  }

  #question(): Send {
    const { service, tag, datacenter, token } = this.#given;
    const query = new URLSearchParams({ passing: 'true' });
    if (tag) query.set('tag', tag);
    if (datacenter) query.set('dc', datacenter);
    const target = `/v1/health/service/${encodeURIComponent(service)}?${query}`;
    const headers: HeaderList = [
      ['accept', 'application/json'],
      ...(token ? [['x-consul-token', token] as const] : []),
    ];
    return {
      step: 'send',
      request: { method: 'GET', target, headers, body: undefined },
      endpoint: { url: this.#address },
      headers: [],
      timeLeftMs: this.#timeoutMs,
      idleMs: this.#timeoutMs,
      keepOpen: () => false,
    };
  }

  #listed(outcome: Outcome): readonly Endpoint[] {
    if (!isAnswer(outcome)) throw this.#failed(`no answer (${outcome.kind})`, outcome.cause);
    const { status, content } = outcome;
    if (status !== 200)
      throw this.#failed(
        `it answered ${status}${status === 401 || status === 403 ? '; check the token' : ''}`,
      );
    let found: readonly Endpoint[];
    try {
      const entries: unknown = JSON.parse(new TextDecoder().decode(content));
      found = (entries as readonly Entry[]).map((entry) => this.#instance(entry)); // or else it throws
    } catch (error) {
      throw this.#failed('its answer is not a list of instances; check the address', error);
    }
    if (!found.length) throw this.#failed('no instance passes its health checks');
    return found;
  }

  #instance({ Service, Node }: Entry): Endpoint {
    const { scheme = 'http', path = '' } = this.#given;
    const place = inURL(Service.Address || Node.Address); // empty: where its node is
    const url = checkedURL(`${scheme}://${place}:${Number(Service.Port)}${path}`, "Consul's answer");
    const weight = Number(Service.Weights?.Passing ?? 1);
    return { url, weight: weight > 0 ? weight : 1 };
  }

  #failed(why: string, cause?: unknown): DiscoveryError {
    return new DiscoveryError(
      `Consul at ${withoutUser(this.#address)} could not say where ${this.#given.service} is: ${why}`,
      { cause },
    );
  }
}

/** What is read of an instance. */
interface Entry {
  readonly Node: { readonly Address: string };
  readonly Service: {
    readonly Address: string;
    readonly Port: number;
    readonly Weights?: { readonly Passing: number } | null;
  };
}
