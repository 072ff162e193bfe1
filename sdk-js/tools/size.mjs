// How many bytes a program takes up that uses this package, minified and gzipped; fails where that is too many.
//
// core: a client and one operation that answers with JSON, without what is loaded only when it is asked for.
// operation: what a further one adds to a program that has every part of the runtime already, its description and the
// shape of its answers included. `--all` lists them.

import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const MAX_CORE_BYTES = 10_000;
const MAX_OPERATION_BYTES = 250;

/** Bytes of a program, and the names that it exports. */
async function measured(program) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: new URL('../src', import.meta.url).pathname },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    outfile: 'program.js',
    metafile: true,
    write: false,
    plugins: [{ name: 'loaded later', setup: leaveImports }],
  });
  const [output] = Object.values(metafile.outputs);
  return { bytes: gzipSync(outputFiles[0].contents, { level: 9 }).length, names: output.exports };
}

function leaveImports({ onResolve }) {
  onResolve({ filter: /./ }, ({ kind, path }) =>
    kind === 'dynamic-import' ? { path, external: true } : null,
  );
}

const from = (names) => `export { ${names} } from './operations.js';`;
const runtime = `export * from './runtime/describe.js'; ${from('createClient')}`;

const core = await measured(from('createClient, systemHealth'));
const whole = await measured(runtime);
const { names } = await measured(`export * from './operations.js';`);
const operations = [];
for (const name of names.filter((name) => name !== 'createClient')) {
  const { bytes } = await measured(`${runtime} ${from(name)}`);
  operations.push({ name, bytes: bytes - whole.bytes });
}
operations.sort((one, other) => other.bytes - one.bytes);
const [largest] = operations;
const median = operations[operations.length >> 1];

console.log(`core ${core.bytes} of ${MAX_CORE_BYTES} bytes; all of the runtime ${whole.bytes}`);
console.log(
  `largest operation ${largest.bytes} of ${MAX_OPERATION_BYTES} bytes (${largest.name}); median ${median.bytes}`,
);
if (process.argv.includes('--all'))
  for (const { name, bytes } of operations) console.log(`${bytes}\t${name}`);
if (core.bytes > MAX_CORE_BYTES || largest.bytes > MAX_OPERATION_BYTES) {
  console.error('too large: `npx esbuild --bundle --minify --analyze` tells what of');
  process.exitCode = 1;
}
