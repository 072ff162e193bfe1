/** The files of cases; `case.schema.json` says what each word means. */

import { readdirSync, readFileSync } from 'node:fs';

/** Seen from where this is compiled to, `build/contract/javascript`, as from where it is written. */
const CASES = new URL('../../../tests/contract/cases/', import.meta.url);

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type Members = { readonly [name: string]: Json };

export interface Case {
  readonly id: string;
  readonly about: string;
  readonly given: Given;
  readonly expected: Expected;
}

export interface Given {
  readonly client?: Members;
  readonly environment?: Readonly<Record<string, string>>;
  readonly random?: number | readonly number[];
  readonly wall_s?: number;
  readonly server: readonly ScriptedAnswer[] | Readonly<Record<string, readonly ScriptedAnswer[]>>;
  readonly calls: readonly ScriptedCall[];
}

/** Bytes, in one of three ways. */
export interface Described {
  readonly json?: Json;
  readonly text?: string;
  readonly base64?: string;
}

export interface ScriptedAnswer extends Described {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly chunks?: readonly (Described & { readonly after_s?: number })[];
  readonly chunk_bytes?: number;
  readonly break?: true;
  readonly failure?: 'connect' | 'connect_timeout' | 'pool_timeout' | 'lost' | 'hang';
  readonly after_s?: number;
  readonly repeat?: number | 'forever';
}

export interface ScriptedCall {
  readonly operation: string;
  readonly arguments?: Members;
  readonly options?: Members;
  readonly after_s?: number;
  readonly repeat?: number;
  readonly concurrent?: true;
  readonly cancel_after_s?: number;
  readonly save?: Members;
  readonly through?: 'items' | 'pages';
  readonly wait?: Members;
  readonly raw?: true;
  readonly take?: number;
}

export interface Expected {
  readonly requests?: readonly ExpectedRequest[];
  readonly request_count?: number;
  readonly max_request_count?: number;
  readonly shares?: Readonly<Record<string, number>>;
  readonly sleeps?: readonly number[];
  readonly outcomes?: readonly Members[];
  readonly outcome_counts?: Readonly<Record<string, number>>;
  readonly events?: readonly (Members & { readonly type: string })[];
  readonly absent_events?: readonly string[];
  readonly warnings?: readonly string[];
}

export interface ExpectedRequest extends Described {
  readonly at_s?: number;
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly absent_headers?: readonly string[];
  readonly empty?: true;
}

/** The text of each file. */
export function texts(): readonly string[] {
  const names = readdirSync(CASES).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => readFileSync(new URL(name, CASES), 'utf8'));
}

/** Every case of every file. */
export function cases(): readonly Case[] {
  return texts().flatMap((text) => (JSON.parse(text) as { cases: Case[] }).cases);
}
