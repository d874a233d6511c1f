import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from '@jest/globals';

/** What stands in the place of a cluster, and the bus that `redisBus` makes. */
const OF_CLUSTER = ['buses/redis-bus.ts', 'cluster-life.ts', 'session-cluster.ts'];
const ENTRIES = resolve('dist/entries');

let loaded: readonly string[];
/** Of those files of the package that were loaded. */
let sources: readonly string[];

/** All files that a script has loaded when it ends, as Node tells who measures coverage. */
async function filesOf(script: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'loaded-'));
  try {
    const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: folder };
    await promisify(execFile)(process.execPath, [script], { env });
    const reports = await Promise.all(
      (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')),
    );
    const urls = reports.flatMap((report) =>
      (JSON.parse(report) as { result: { url: string }[] }).result.map(({ url }) => url),
    );
    return urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** As the map of a compiled file names them. */
async function sourcesOf(file: string): Promise<string[]> {
  const map = JSON.parse(await readFile(`${file}.map`, 'utf8')) as { sources: string[] };
  return map.sources.map((source) => resolve(dirname(file), source));
}

/** Those of a folder of the sources. */
function under(folder: string): string[] {
  const start = `${resolve('src', folder)}/`;
  return sources.filter((file) => file.startsWith(start)).map((file) => file.slice(start.length));
}

beforeAll(async () => {
  loaded = await filesOf('test/support/plain-application.mjs');
  const ours = loaded.filter((file) => file.startsWith(ENTRIES));
  sources = (await Promise.all(ours.map(sourcesOf))).flat();
});

it('an application without the option `cluster` loads nothing of a cluster', () => {
  expect(under('http')).toContain('session.guard.ts');
  expect(under('cluster').toSorted()).toEqual(OF_CLUSTER);
  expect(under('store/cluster')).toEqual([]);
});

it.each(['client', 'cls', 'openapi', 'opentelemetry', 'terminus', 'testing'])(
  'an application that does not import it loads nothing of %s',
  (part) => {
    expect(under(part)).toEqual([]);
  },
);

it.each(['@nestjs/swagger', '@nestjs/terminus', '@opentelemetry/api', 'nestjs-cls', 'ws'])(
  'an application that does not import it loads nothing of %s',
  (peer) => {
    expect(loaded.filter((file) => file.includes(`/node_modules/${peer}/`))).toEqual([]);
  },
);
