/** Checksums of downloads: what is promised by headers or the caller, and what arrived. */

import { ArgumentError } from '../errors/local.js';

/** A digest that grows. */
export interface Hash {
  update(data: Uint8Array): void;
  /** In hex, in lower case. */
  digest(): Promise<string>;
}

/** Begins a digest; undefined for an algorithm that the runtime has not. */
export type MakeHash = (algorithm: string) => Hash | undefined;

/** What a digest should be. */
export interface Promised {
  /** `sha256`. */
  readonly algorithm: string;
  /** In hex, in lower case. */
  readonly digest: string;
  /** Who says so. */
  readonly source: string;
}

/** What is used of `node:crypto`. */
interface Crypto {
  createHash(algorithm: string): { update(data: Uint8Array): unknown; digest(encoding: 'hex'): string };
}

/** RFC 9530, section 5: the others of its registry are broken or too weak to say anything. */
const DIGESTS = ['sha-256', 'sha-512'];
/** A member of a dictionary (RFC 8941, section 3.2) whose value is a byte sequence. */
const MEMBER = /(?:^|,)\s*([a-z*][\w\-.*]*)=:([A-Za-z0-9+/=]*):/g;
/** Algorithms of Web Crypto. */
const SUBTLE = /^sha(1|256|384|512)$/;

/** Digests of the runtime: those of `node:crypto` as the bytes arrive, else those of Web Crypto over all of them. */
export async function hashing(): Promise<MakeHash> {
  const name = ['node', 'crypto'].join(':'); // lest bundlers for browsers look for it
  try {
    const { createHash }: Crypto = await import(/* webpackIgnore: true */ /* @vite-ignore */ name);
    return (algorithm) => {
      try {
        const hash = createHash(calledThere(algorithm));
        return { update: (data) => void hash.update(data), digest: async () => hash.digest('hex') };
      } catch {
        return undefined;
      }
    };
  } catch {
    return subtleHash;
  }
}

/** Python and OpenSSL call some by other names. */
function calledThere(algorithm: string): string {
  return algorithm
    .replace('_', '-')
    .replace(/^blake2(b|s)$/, (name) => `${name}${name.endsWith('b') ? 512 : 256}`);
}

/** Web Crypto takes nothing piece by piece. */
export function subtleHash(algorithm: string): Hash | undefined {
  if (!SUBTLE.test(algorithm)) return undefined;
  const parts: BlobPart[] = [];
  return {
    update: (data) => void parts.push(data.slice()),
    digest: async () => {
      const all = await new Blob(parts).arrayBuffer();
      return hex(new Uint8Array(await crypto.subtle.digest(algorithm.replace('sha', 'sha-'), all)));
    },
  };
}

/** Of `sha256:<hex>`; none of an empty text. Throws `ArgumentError`. */
export async function promisedByCaller(checksum: string, makeHash: MakeHash): Promise<readonly Promised[]> {
  if (!checksum) return [];
  const [, name = '', digits = ''] = /^([^:]*):((?:[0-9a-f]{2})+)$/i.exec(checksum) ?? [];
  const algorithm = name.trim().toLowerCase().replace('sha-', 'sha');
  const empty = await makeHash(algorithm)?.digest();
  if (!algorithm || empty?.length !== digits.length)
    throw new ArgumentError(
      'checksum must be an algorithm that this runtime has and a digest in hex, such as sha256:9f86d0...',
    );
  return [{ algorithm, digest: digits.toLowerCase(), source: 'checksum' }];
}

/**
 * What the headers of an answer say of its content.
 *
 * `Content-Digest` (RFC 9530, section 2) and `Content-MD5` (RFC 2616, section 14.15, since dropped, but still sent) are of
 * just that; `Repr-Digest` (RFC 9530, section 3) is of the whole representation, which is the content of a 200 alone. All are
 * of the bytes as they travel, after Content-Encoding, so that an answer with one promises nothing of the bytes that come
 * out of it.
 */
export function promisedByHeaders(status: number, headers: Headers): readonly Promised[] {
  if ((headers.get('content-encoding') ?? 'identity') !== 'identity') return [];
  const promises: Promised[] = [];
  const add = (algorithm: string, text: string, source: string) => {
    const digest = digestOf(text);
    if (digest) promises.push({ algorithm, digest, source });
  };
  for (const name of status === 200 ? ['repr-digest', 'content-digest'] : ['content-digest']) {
    for (const [, algorithm = '', text = ''] of (headers.get(name) ?? '').matchAll(MEMBER))
      if (DIGESTS.includes(algorithm)) add(algorithm.replace('-', ''), text, name);
  }
  add('md5', headers.get('content-md5') ?? '', 'content-md5');
  return promises;
}

/** Digests of what has arrived so far, in the algorithms that something was promised in and that there are. */
export class Checksums {
  readonly #promises: readonly Promised[];
  readonly #hashes = new Map<string, Hash>();

  constructor(promises: readonly Promised[], makeHash: MakeHash) {
    this.#promises = promises;
    for (const { algorithm } of promises) {
      const hash = this.#hashes.has(algorithm) ? undefined : makeHash(algorithm);
      if (hash) this.#hashes.set(algorithm, hash);
    }
  }

  update(data: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(data);
  }

  /** The first promise that was not kept; to be asked once, at the end. */
  async broken(): Promise<Promised | undefined> {
    const found = new Map<string, string>();
    for (const [algorithm, hash] of this.#hashes) found.set(algorithm, await hash.digest());
    return this.#promises.find(({ algorithm, digest }) => (found.get(algorithm) ?? digest) !== digest);
  }
}

/** Base64 as hex; empty where it is garbled. */
function digestOf(text: string): string {
  try {
    return hex(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
  } catch {
    return '';
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
