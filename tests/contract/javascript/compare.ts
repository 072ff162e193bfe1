/** Holds a record against what a case expects. */

import assert from 'node:assert/strict';
import type { Expected, ExpectedRequest, Members } from './files.js';
import { optionName } from './given.js';
import type { Outcome, Recorded } from './record.js';
import { type Arrival, contentOf } from './server.js';

const CLOSE_S = 1e-9;

/** Throws an `AssertionError` at the first difference. */
export function check(record: Recorded, expected: Expected): void {
  const { outcomes, outcome_counts, requests, request_count, max_request_count, sleeps, events, shares } =
    expected;
  const urls = record.arrivals.map(({ url }) => url);
  if (outcomes) checkOutcomes(record.outcomes, outcomes);
  if (outcome_counts) assert.deepEqual(counted(record.outcomes.map(nameOf)), outcome_counts);
  if (requests) checkRequests(record.arrivals, requests);
  if (request_count !== undefined) assert.equal(urls.length, request_count, 'requests');
  if (max_request_count !== undefined) assert.ok(urls.length <= max_request_count, `${urls.length} requests`);
  if (sleeps) closeTo(record.sleeps, sleeps, 'sleeps');
  if (events) checkEvents(record.events, events);
  for (const type of expected.absent_events ?? []) {
    assert.ok(!record.events.some((event) => event.type === type), `${type} was told`);
  }
  for (const [base, count] of Object.entries(shares ?? {})) {
    assert.equal(urls.filter((url) => url.startsWith(base)).length, count, `share of ${base}`);
  }
  checkWarnings(record.warnings, expected.warnings ?? []);
}

function checkOutcomes(found: readonly Outcome[], expected: readonly Members[]): void {
  assert.equal(found.length, expected.length, `outcomes: ${shown(found)}`);
  for (const [index, wanted] of expected.entries()) {
    const outcome = found[index] ?? {};
    const where = `outcome ${index + 1}: ${shown(outcome)}`;
    assert.deepEqual(Object.keys(outcome).sort(), Object.keys(wanted).sort(), where);
    const { error, answer, ...others } = wanted;
    for (const [key, value] of Object.entries(others)) assert.deepEqual(outcome[key], value, where);
    if (answer) checkAnswer(outcome.answer as Members, answer as Members, where);
    if (error) checkError(outcome.error as Members, error as Members, where);
  }
}

function checkAnswer(found: Members, { headers = {}, ...others }: Members, where: string): void {
  checkSome(found.headers as Members, headers as Members, where);
  checkSome(found, others, where);
}

function checkError(found: Members, wanted: Members, where: string): void {
  const message = String(found.message);
  for (const [key, value] of Object.entries(wanted)) {
    if (key === 'message_contains') {
      for (const text of value as string[]) assert.ok(message.includes(text), `${text} in ${where}`);
    } else if (key === 'message_excludes') {
      const said = `${message}\n${found.shown}`;
      for (const text of value as string[]) assert.ok(!said.includes(text), `${text} in ${said}`);
    } else if (key === 'option') {
      assert.ok(message.includes(optionName(String(value))), `${optionName(String(value))} in ${where}`);
    } else if (key === 'retry_after_s') {
      closeTo(found[key], value, `${key} of ${where}`);
    } else if (key === 'problem') {
      checkSome(found[key] as Members, value as Members, where);
    } else {
      assert.deepEqual(found[key], value, `${key} of ${where}`);
    }
  }
}

function checkRequests(found: readonly Arrival[], expected: readonly ExpectedRequest[]): void {
  const all = found.map(({ atMs, method, url }) => `${atMs / 1000} s: ${method} ${url}`);
  assert.equal(found.length, expected.length, `requests: ${shown(all)}`);
  for (const [index, wanted] of expected.entries()) {
    const arrival = found[index];
    const where = `request ${index + 1}, ${all[index]}`;
    assert.ok(arrival, where);
    if (wanted.at_s !== undefined) closeTo(arrival.atMs / 1000, wanted.at_s, where);
    if (wanted.method !== undefined) assert.equal(arrival.method, wanted.method, where);
    if (wanted.url !== undefined) assert.equal(arrival.url, wanted.url, where);
    for (const [name, text] of Object.entries(wanted.headers ?? {})) {
      assert.equal(arrival.headers.get(name), text, `${name} of ${where}`);
    }
    for (const name of wanted.absent_headers ?? []) {
      assert.equal(arrival.headers.get(name), null, `${name} of ${where}`);
    }
    checkBody(arrival.content, wanted, where);
  }
}

function checkBody(found: Uint8Array, wanted: ExpectedRequest, where: string): void {
  const text = Buffer.from(found).toString();
  if (wanted.json !== undefined) assert.deepEqual(JSON.parse(text), wanted.json, where);
  else if (wanted.text !== undefined) assert.equal(text, wanted.text, where);
  else if (wanted.base64 !== undefined) assert.deepEqual(new Uint8Array(found), contentOf(wanted), where);
  else if (wanted.empty !== undefined) assert.equal(text === '', wanted.empty, where);
}

/** Those of the types that are expected: no more, no fewer, in this order. */
function checkEvents(found: Recorded['events'], expected: readonly Members[]): void {
  const types = new Set(expected.map(({ type }) => type));
  const told = found.filter(({ type }) => types.has(type as string));
  assert.equal(told.length, expected.length, `events: ${shown(told)}`);
  for (const [index, wanted] of expected.entries()) {
    const event = told[index] ?? {};
    for (const [key, value] of Object.entries(wanted))
      closeTo(event[key], value, `${key} of ${shown(event)}`);
  }
}

function checkWarnings(found: readonly string[], expected: readonly string[]): void {
  assert.equal(found.length, expected.length, `warnings: ${shown(found)}`);
  for (const [index, wanted] of expected.entries()) {
    assert.ok(found[index]?.includes(wanted), `${wanted} in ${found[index]}`);
  }
}

/** These members at least. */
function checkSome(found: Members, wanted: Members, where: string): void {
  for (const [key, value] of Object.entries(wanted)) {
    assert.deepEqual(found[key], value, `${key} of ${where}`);
  }
}

/** Equal, where numbers may differ by what adding up times leaves. */
function closeTo(found: unknown, wanted: unknown, where: string): void {
  if (Array.isArray(found) && Array.isArray(wanted)) {
    assert.equal(found.length, wanted.length, `${where}: ${shown(found)}`);
    for (const [index, value] of wanted.entries()) closeTo(found[index], value, `${where}: ${shown(found)}`);
  } else if (typeof found === 'number' && typeof wanted === 'number') {
    assert.ok(Math.abs(found - wanted) <= CLOSE_S, `${found} instead of ${wanted}: ${where}`);
  } else {
    assert.deepEqual(found, wanted, where);
  }
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** `ok`, `cancelled`, or the class of the error. */
function nameOf({ error, cancelled }: Outcome): string {
  if (error) return (error as { class: string }).class;
  return cancelled ? 'cancelled' : 'ok';
}

function shown(value: unknown): string {
  return JSON.stringify(value);
}
