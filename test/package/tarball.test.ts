import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path/posix';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';

/** What `npm pack` would put into the tarball. */
async function packedFiles(): Promise<Set<string>> {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']);
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  return new Set(files.map(({ path }) => path));
}

describe('the tarball', () => {
  let files: Set<string>;
  let compiled: string[];

  beforeAll(async () => {
    files = await packedFiles();
    compiled = [...files].filter((file) => file.startsWith('dist/') && file.endsWith('.js'));
  });

  it('has what runs, what describes it, and where it comes from', () => {
    expect(compiled).toContain('dist/entries/index.js');
    const strangers = [...files].filter(
      (file) =>
        !/^(dist\/.+\.(js|d\.ts)(\.map)?|src\/.+\.ts|docs\/[\w-]+\.(md|json|png|svg)|LICENSE|(CONTRIBUTING|README)\.md|package\.json)$/.test(
          file,
        ),
    );
    expect(strangers.filter((file) => !/^schematics\/(schemas\/.+\.json|dist\/.+\.js)$/.test(file))).toEqual([
      'schematics/collection.json',
      'schematics/package.json',
    ]);
  });

  it('has what `nest add` runs, and every file that its collection names', async () => {
    const collection = JSON.parse(await readFile('schematics/collection.json', 'utf8')) as {
      schematics: Record<string, { factory: string; schema: string }>;
    };
    const named = Object.values(collection.schematics).flatMap(({ factory, schema }) => [
      join('schematics', `${factory.split('#')[0]}.js`),
      join('schematics', schema),
    ]);
    expect(Object.keys(collection.schematics)).toContain('nest-add');
    expect(named.filter((file) => !files.has(file))).toEqual([]);
  });

  it('has a README that stands on its own: whatever it and the pages behind it link to is there', async () => {
    const pages = [...files].filter((file) => /^(README|docs\/.+)\.md$/.test(file));
    const linked = pages.map(async (page) => {
      const text = await readFile(page, 'utf8');
      const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target = '']) => target);
      return targets.map((target) => normalize(join(dirname(page), target)));
    });
    const targets = new Set((await Promise.all(linked)).flat());
    expect(targets).toContain('docs/README.md');
    expect([...targets].filter((target) => !files.has(target))).toEqual([]);
    expect(await readFile('README.md', 'utf8')).toContain('`node_modules/nestjs-sessions/docs`');
  });

  it('names the repository when it is published, by which npm completes the links of the README', async () => {
    const release = await readFile('.github/workflows/release.yml', 'utf8');
    const steps = [...release.matchAll(/npm pkg set "repository\.url=|npm publish /g)].map(([step]) => step);
    expect(steps).toEqual(['npm pkg set "repository.url=', 'npm publish ']);
  });

  it('has what every entry point names, and a map for whatever has been compiled', async () => {
    const { exports } = JSON.parse(await readFile('package.json', 'utf8')) as { exports: object };
    const named = Object.values(exports).flatMap((target: string | object) =>
      typeof target === 'string' ? [target] : (Object.values(target) as string[]),
    );
    const declared = [...files].filter((file) => file.startsWith('dist/') && file.endsWith('.d.ts'));
    const wanted = [...named.map(normalize), ...[...compiled, ...declared].map((file) => `${file}.map`)];
    expect(named).toContain('./dist/entries/index.js');
    expect(wanted.filter((file) => !files.has(file))).toEqual([]);
  });

  it('has no module twice', () => {
    expect(compiled.filter((file) => !/^dist\/(client|entries)\//.test(file))).toEqual([]);
  });

  it('has every source that a source map names', async () => {
    const maps = [...files].filter((file) => file.endsWith('.map'));
    const named = maps.map(async (map) => {
      const { sources } = JSON.parse(await readFile(map, 'utf8')) as { sources: string[] };
      return sources.map((source) => join(dirname(map), source));
    });
    const sources = new Set((await Promise.all(named)).flat());
    expect(sources).toContain('src/index.ts');
    expect([...sources].filter((source) => !files.has(source))).toEqual([]);
  });

  it('has no `import.meta`, which nobody could turn into CommonJS, as Jest does', async () => {
    const texts = await Promise.all(compiled.map((file) => readFile(file, 'utf8')));
    expect(compiled.filter((_, index) => texts[index]?.includes('import.meta'))).toEqual([]);
  });
});
