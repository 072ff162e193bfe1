/** What a grant becomes: a session, which trades it for a token and renews that while the server lets it. */

import type { GrantSpec } from '../call.js';
import { ConfigurationError, TokenError } from '../errors/local.js';
import type { Transport } from '../wire.js';
import type { Place } from './further.js';
import type { Grant } from './grants.js';
import {
  type Asking,
  discover,
  exchange,
  hostOf,
  isPrivate,
  type Metadata,
  PassingFailure,
  type Trade,
} from './oauth2.js';
import type { Obtain, Token } from './tokens.js';

/**
 * Trades the grant for a token; from then on the refresh token, for as long as it is taken.
 *
 * Throws `ConfigurationError` where nobody says where to ask, or secrets must not go there.
 */
export function sessionOf(grant: Grant, place: Place): Obtain {
  const session = new Session(grant, place);
  return (transport) => session.obtain(transport);
}

class Session {
  readonly #grant: Grant;
  readonly #place: Place;
  /** What begins the session; undefined where it began elsewhere. */
  readonly #first: Trade | undefined;
  readonly #renewal: Trade | undefined;
  #refreshToken = '';
  #metadata: Metadata | undefined;

  constructor(grant: Grant, place: Place) {
    const { fields = {}, scopes = [], extra = {}, tokenURL = '' } = grant.terms();
    const trade = { grant: endpoint(grant, tokenURL, place), fields, scopes, extra };
    this.#grant = grant;
    this.#place = place;
    if (grant.kind === 'refresh_token') {
      this.#refreshToken = fields.refresh_token ?? '';
      this.#renewal = trade;
    } else {
      this.#first = trade;
      const renewal = findGrant('refresh_token', tokenURL, place);
      this.#renewal = renewal && { grant: renewal, fields: {}, scopes: [], extra: {} };
    }
  }

  async obtain(transport: Transport): Promise<Token> {
    const { distribution, version } = this.#place.api;
    const asking = { transport, userAgent: `${distribution.replace('@', '').replace('/', '-')}/${version}` };
    const token = await this.#next(asking);
    this.#refreshToken = token.refreshToken ?? '';
    await this.#grant.terms().onToken?.(token);
    return token;
  }

  async #next(asking: Asking): Promise<Token> {
    const first = this.#first;
    if (this.#renewal && (this.#refreshToken || !first)) {
      const token = await this.#renewed(this.#renewal, this.#refreshToken, asking);
      if (token) return token;
    }
    if (!first) throw new TokenError('the session has ended');
    return this.#exchanged(first, asking);
  }

  /** A token by the refresh token; undefined where that is refused and the first grant may do. */
  async #renewed(renewal: Trade, refreshToken: string, asking: Asking): Promise<Token | undefined> {
    // It may count only once: if the answer gets lost, sending it again could end the whole session.
    if (this.#first) this.#refreshToken = '';
    try {
      const token = await this.#exchanged({ ...renewal, fields: { refresh_token: refreshToken } }, asking);
      return token.refreshToken ? token : { ...token, refreshToken };
    } catch (error) {
      if (error instanceof PassingFailure && !error.acted) this.#refreshToken = refreshToken;
      if (this.#first && error instanceof TokenError) return undefined;
      throw error;
    }
  }

  async #exchanged(trade: Trade, asking: Asking): Promise<Token> {
    const { clientId = '', clientSecret = '', clientAuth } = this.#grant.terms();
    let { grant } = trade;
    let found: Metadata | undefined;
    if (!grant.url) {
      found = this.#metadata ??= await discover(discoveryURL(this.#place), asking);
      grant = { ...grant, url: found.tokenURL };
    }
    const auth = clientAuth ?? found?.auth ?? 'basic';
    const client = clientId ? { id: clientId, secret: clientSecret, auth } : undefined;
    return exchange({ ...trade, grant }, client, asking);
  }
}

/** Where a kind of grant is traded; without an address where discovery has yet to tell it. */
export function findGrant(kind: string, tokenURL: string, place: Place): GrantSpec | undefined {
  if (tokenURL) return { kind, url: tokenURL };
  for (const { grants = [] } of place.schemes)
    for (const grant of grants) if (grant.kind === kind) return { ...grant, url: whole(grant.url, place) };
  return discoveryURL(place) ? { kind, url: '' } : undefined;
}

function whole(url: string, { baseURL }: Place): string {
  if (!baseURL && !url.includes('://'))
    throw new ConfigurationError(
      'where tokens are obtained follows from baseURL, which must be an address then',
    );
  return new URL(url, baseURL ? `${baseURL}/` : undefined).href;
}

function endpoint({ kind }: Grant, tokenURL: string, place: Place): GrantSpec {
  const found = findGrant(kind, tokenURL, place);
  if (!found)
    throw new ConfigurationError(
      `the API's description does not say where a grant of ${kind} is traded for tokens${kind === 'api_key' ? '' : '; give it a tokenURL'}`,
    );
  // Where the API itself trades, its address is the caller's choice, and every other secret goes there too.
  const url = found.url || discoveryURL(place);
  if (!isPrivate(url) && !(place.baseURL && url.startsWith(`${place.baseURL}/`)))
    throw new ConfigurationError(
      `the grant of ${kind}: secrets go by https, or stay on this machine; not to ${hostOf(url)}`,
    );
  return found;
}

function discoveryURL({ schemes }: Place): string {
  return schemes.find((scheme) => scheme.discoveryURL)?.discoveryURL ?? '';
}
