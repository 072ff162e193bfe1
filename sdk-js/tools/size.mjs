// How many bytes a program takes up that uses this package, minified and gzipped; fails where that is too many.
//
// core: a client and one operation that answers with JSON, without what is loaded only when it is asked for.
// operation: what one adds to a program that has the others, its description and the shapes of its own included;
// more is allowed to those whose answers have very many members, and which no page asks for.
// `--all` lists them, and what each adds to a program that has all of the runtime, but no other operation.

import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const MAX_CORE_BYTES = 10_000;
const MAX_OPERATION_BYTES = 250;
const LARGER = { systemStatus: 400 };

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

const bytesOf = async (...parts) => (await measured(parts.join(' '))).bytes;
const from = (...names) => `export { ${names} } from './operations.js';`;
const RUNTIME = `export * from './runtime/describe.js'; ${from('createClient')}`;

const core = await bytesOf(from('createClient', 'systemHealth'));
const runtime = await bytesOf(RUNTIME);
const { names } = await measured(`export * from './operations.js';`);
const operations = names.filter((name) => name !== 'createClient');
const whole = await bytesOf(RUNTIME, from(...operations));
const sizes = [];
for (const name of operations) {
  const others = operations.filter((other) => other !== name);
  const bytes = whole - (await bytesOf(RUNTIME, from(...others)));
  sizes.push({ name, bytes, alone: (await bytesOf(RUNTIME, from(name))) - runtime });
}
sizes.sort((one, other) => other.bytes - one.bytes);
const [largest] = sizes.filter(({ name }) => !(name in LARGER));
const tooLarge = sizes.filter(({ name, bytes }) => bytes > (LARGER[name] ?? MAX_OPERATION_BYTES));
const each = Math.round((whole - runtime) / operations.length);

console.log(`core ${core} of ${MAX_CORE_BYTES} bytes; all of the runtime ${runtime}`);
console.log(
  `operation ${largest.bytes} of ${MAX_OPERATION_BYTES} bytes (${largest.name}); ${each} on average`,
);
if (process.argv.includes('--all'))
  for (const { name, bytes, alone } of sizes) console.log(`${bytes}\t${alone} alone\t${name}`);
if (core > MAX_CORE_BYTES || tooLarge.length) {
  for (const { name, bytes } of tooLarge) console.error(`${name}: ${bytes} bytes`);
  console.error('too large: `npx esbuild --bundle --minify --analyze` tells what of');
  process.exitCode = 1;
}
