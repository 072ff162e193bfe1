import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import * as errors from '../src/runtime/errors.js';

const source = (path: string) => readFile(new URL(`../../../sdk-js/${path}`, import.meta.url), 'utf8');

test('every error can be caught by name', async () => {
  const surface = await source('src/runtime/index.ts');
  for (const [name, value] of Object.entries(errors)) {
    if (!(value === errors.DhatuError || value.prototype instanceof errors.DhatuError)) continue;
    assert.match(surface, new RegExp(`\\b${name}\\b`));
  }
});

test('nothing of the runtime touches Node.js where it is imported', async () => {
  for (const module of ['index', 'describe', 'client', 'transport/over-fetch', 'settings', 'engine']) {
    assert.doesNotMatch(await source(`src/runtime/${module}.ts`), /from 'node:/, module);
  }
});
