/** Every module of the runtime, here already, since no clock can tell how long it takes to load one when it is needed. */

import { readdir } from 'node:fs/promises';

const runtime = new URL('../src/runtime/', import.meta.url);
const modules = (await readdir(runtime, { recursive: true })).filter((path) => path.endsWith('.js'));
await Promise.all(modules.map((path) => import(new URL(path, runtime).href)));
