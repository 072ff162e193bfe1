/** Token requests and their answers (RFC 6749); what a server says never shows a secret. */

import type { GrantSpec } from '../call.js';
import { utf8, wholeBody } from '../encoding/content.js';
import { TokenError } from '../errors/local.js';
import { summary } from '../errors/refusals.js';
import { readProblem } from '../problem.js';
import {
  type Answer,
  type HeaderList,
  isAnswer,
  isUnsent,
  type Transport,
  TransportFailed,
} from '../wire.js';
import { checkedSecret } from './credentials.js';
import type { ClientAuth } from './grants.js';
import type { Token } from './tokens.js';

/** For one token request. */
const TIMEOUT_MS = 30_000;
const MAX_TEXT = 300;
const PASSING: readonly number[] = [408, 425, 429, 500, 502, 503, 504];
/** With these the server says that it did nothing. */
const UNREAD: readonly number[] = [425, 429];

/** A client, and how it proves itself (RFC 6749, section 2.3.1). */
export interface Client {
  readonly id: string;
  /** Empty for a public client. */
  readonly secret: string;
  readonly auth: ClientAuth;
}

/** What is traded for a token, and where. */
export interface Trade {
  readonly grant: GrantSpec;
  /** `refresh_token`, `username` and the like, by their names in RFC 6749. */
  readonly fields: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
  readonly extra: Readonly<Record<string, string>>;
}

/** How to ask. */
export interface Asking {
  readonly transport: Transport;
  readonly userAgent: string;
}

/** What discovery says (OpenID Connect Discovery 1.0, section 3). */
export interface Metadata {
  readonly tokenURL: string;
  readonly auth: ClientAuth;
}

/** No token this time: for the call that needs one a failed attempt, of which nothing was sent. */
export class PassingFailure extends TransportFailed {
  /** Whether the token endpoint may have acted all the same. */
  readonly acted: boolean;

  constructor(error: TokenError, acted: boolean) {
    super({ kind: 'connect', cause: error });
    this.acted = acted;
  }
}

type Members = Readonly<Record<string, unknown>>;

/** Asks for a token. Rejects with `TokenError` where there is no use in trying again, else with `PassingFailure`. */
export async function exchange(trade: Trade, client: Client | undefined, asking: Asking): Promise<Token> {
  const { grant, fields, extra } = trade;
  const headers: [string, string][] = [];
  let members = membersOf(trade);
  if (client?.secret && client.auth === 'basic') {
    const pair = utf8(`${formEncoded(client.id)}:${formEncoded(client.secret)}`);
    headers.push(['authorization', `Basic ${btoa(String.fromCharCode(...pair))}`]);
  } else if (client) {
    members = { ...members, client_id: client.id, ...(client.secret && { client_secret: client.secret }) };
  }
  headers.push(['content-type', grant.json ? 'application/json' : 'application/x-www-form-urlencoded']);
  const body = grant.json ? JSON.stringify(members) : form(members);
  const secrets = Object.entries(fields).flatMap(([name, text]) => (name === 'username' ? [] : [text]));
  secrets.push(...Object.values(extra), client?.secret ?? '');
  return tokenIn(trade, await ask('POST', grant.url, headers, body, secrets, asking));
}

/** Reads where tokens come from; a client proves itself by HTTP basic unless only a form is taken. */
export async function discover(url: string, asking: Asking): Promise<Metadata> {
  const { token_endpoint: tokenURL, token_endpoint_auth_methods_supported: methods } = await ask(
    'GET',
    url,
    [],
    undefined,
    [],
    asking,
  );
  if (typeof tokenURL !== 'string' || !isPrivate(tokenURL))
    throw new TokenError(`${hostOf(url)} names no token endpoint that is reached by https`);
  const taken: readonly unknown[] = Array.isArray(methods) ? methods : ['client_secret_basic'];
  const onlyPost = !taken.includes('client_secret_basic') && taken.includes('client_secret_post');
  return { tokenURL, auth: onlyPost ? 'post' : 'basic' };
}

/** Whether what is sent there stays between the two: by https, or within this machine. */
export function isPrivate(url: string): boolean {
  const { protocol, hostname } = parsed(url) ?? {};
  if (protocol === 'http:') return /^(localhost|\[::1\]|127(\.\d+){3})$/.test(hostname ?? '');
  return protocol === 'https:' && !!hostname;
}

/** For messages: no user, no path, no query. */
export function hostOf(url: string): string {
  return parsed(url)?.host || 'the token endpoint';
}

function parsed(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}

/** Of the request, but for what proves the client. */
function membersOf({ grant, fields, scopes, extra }: Trade): Members {
  const members: Record<string, unknown> = { ...extra };
  if (grant.saysKind ?? true) members[nameOf(grant, 'grant_type')] = grant.kind;
  for (const [name, text] of Object.entries(fields)) members[nameOf(grant, name)] = text;
  if (scopes.length) members[nameOf(grant, 'scope')] = grant.listsScopes ? scopes : scopes.join(' ');
  return members;
}

/** What the API calls a member of RFC 6749. */
function nameOf({ names = {} }: GrantSpec, standard: string): string {
  return names[standard] ?? standard;
}

function form(members: Members): string {
  const pairs = Object.entries(members).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, String(one)]),
  );
  return String(new URLSearchParams(pairs));
}

/** As a value in a form (RFC 6749, appendix B). */
function formEncoded(text: string): string {
  return String(new URLSearchParams({ '': text })).slice(1);
}

/** The members of a success. */
async function ask(
  method: string,
  url: string,
  headers: HeaderList,
  text: string | undefined,
  secrets: readonly string[],
  { transport, userAgent }: Asking,
): Promise<Members> {
  const host = hostOf(url);
  const outcome = await transport.send(
    {
      step: 'send',
      request: {
        method,
        target: '',
        headers: [['accept', 'application/json'], ['user-agent', userAgent], ...headers],
        body: text === undefined ? undefined : wholeBody(utf8(text)),
      },
      endpoint: { url },
      headers: [],
      timeLeftMs: TIMEOUT_MS,
      idleMs: TIMEOUT_MS,
      keepOpen: () => false,
    },
    undefined, // whoever leaves, the token is for all
  );
  if (!isAnswer(outcome)) {
    const error = new TokenError(`${host} could not be asked (${outcome.kind})`, {}, outcome.cause);
    throw new PassingFailure(error, !isUnsent(outcome));
  }
  if (outcome.status >= 300) throw refusal(host, outcome, secrets);
  const members = read(outcome);
  if (!members) throw new TokenError(`${host} did not answer with a JSON object`, { status: outcome.status });
  return members;
}

/** What an error answer means (RFC 6749, section 5.2, or RFC 9457). */
function refusal(host: string, answer: Answer, secrets: readonly string[]): Error {
  const { status, content } = answer;
  if (status < 400)
    return new TokenError(`${host} answered ${status}, a redirect, which is not followed with credentials`, {
      status,
    });
  let { error, error_description: description } = read(answer) ?? {};
  if (typeof error !== 'string') {
    error = '';
    description = summary(readProblem(status, content));
  }
  const refused = new TokenError(`${host} answered ${status}`, {
    error: shown(error, secrets),
    description: shown(description, secrets),
    status,
  });
  return PASSING.includes(status) ? new PassingFailure(refused, !UNREAD.includes(status)) : refused;
}

/** The token in a success (RFC 6749, section 5.1). */
function tokenIn({ grant }: Trade, members: Members): Token {
  const host = hostOf(grant.url);
  const member = (name: string) => members[nameOf(grant, name)];
  const value = member('access_token');
  if (typeof value !== 'string' || !value)
    throw new TokenError(`${host} answered without ${nameOf(grant, 'access_token')}`);
  try {
    checkedSecret(value, '');
  } catch (error) {
    throw new TokenError(`${host} answered with one that no header can carry`, {}, error);
  }
  const kind = member('token_type');
  if (typeof kind === 'string' && kind.toLowerCase() !== 'bearer')
    throw new TokenError(`${host} answered with one that is not a bearer token`);
  const refreshToken = member('refresh_token');
  return {
    value,
    expiresInMs: lifetimeMs(member('expires_in')),
    refreshToken: typeof refreshToken === 'string' ? refreshToken : '',
  };
}

/** A lifetime; some servers send it as text. */
function lifetimeMs(given: unknown): number | undefined {
  const seconds =
    typeof given === 'number' || (typeof given === 'string' && given.trim()) ? Number(given) : NaN;
  return seconds >= 0 && seconds < Infinity ? seconds * 1000 : undefined;
}

function read({ content }: Answer): Members | undefined {
  try {
    const members: unknown = JSON.parse(new TextDecoder().decode(content));
    return typeof members === 'object' && members && !Array.isArray(members)
      ? (members as Members)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What a server said, without the secrets that it may repeat. */
function shown(said: unknown, secrets: readonly string[]): string {
  let text = typeof said === 'string' ? said : '';
  for (const secret of secrets.filter(Boolean).sort((one, other) => other.length - one.length))
    text = text.replaceAll(secret, '***');
  text = text.replace(/[\p{C}\p{Z}]/gu, ' ');
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
