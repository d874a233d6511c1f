// Bundles what `nest build` has compiled into one file for each entry point, and files for what they share: Node loads few
// files faster than many. The client is left as it is: bundlers of apps and pages take it apart themselves.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { build } from 'esbuild';

const FOLDER = 'dist/entries';

/** The compiled file of each entry point that `package.json` looks for among the bundles. */
async function compiledEntries() {
  const { exports } = JSON.parse(await readFile('package.json', 'utf8'));
  const bundled = Object.values(exports).filter((target) => target.default?.startsWith(`./${FOLDER}/`));
  return Object.fromEntries(
    bundled.map(({ types, default: file }) => [basename(file, '.js'), types.replace(/\.d\.ts$/, '.js')]),
  );
}

/**
 * `var SessionGuard = class SessionGuard2` becomes `class SessionGuard` again: people see the names of classes in the log of
 * Nest. The bundler renames what a class is called within itself, and nothing else has that name in the file. Spaces keep
 * every column where the source map has it.
 */
function withOwnNames(code) {
  const renamed = new Map();
  for (const [, outer, inner] of code.matchAll(/^var (\w+) = (?:\1_\d+ = )?class (_?\1\d*) /gm)) {
    renamed.set(inner, outer);
  }
  return code.replace(/\b\w+\b/g, (word) => renamed.get(word)?.padEnd(word.length) ?? word);
}

const { outputFiles } = await build({
  entryPoints: await compiledEntries(),
  outdir: FOLDER,
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'neutral',
  target: 'es2023',
  sourcemap: true,
  sourcesContent: false,
  write: false,
  logLevel: 'warning',
});

await rm(FOLDER, { recursive: true, force: true });
for (const { path, text } of outputFiles) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, path.endsWith('.js') ? withOwnNames(text) : text);
}
