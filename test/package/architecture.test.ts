import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from '@jest/globals';

const SRC = resolve('src');

/** Which part of `src` may import which others. What Nest and TypeORM are to each part belongs to it too. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  index: ['module', 'service', 'http', 'store', 'cluster', 'core'],
  module: [
    'service',
    'http',
    'realtime',
    'store',
    'purge',
    'audit',
    'cluster',
    'core',
    '@nestjs/typeorm',
    'typeorm',
  ],
  http: ['service', 'core'],
  realtime: ['service', 'http', 'cluster', 'core'],
  cluster: ['core'],
  purge: ['service', 'core'],
  audit: ['service', 'core'],
  service: ['core'],
  store: ['core', 'typeorm'],
  core: [],
  testing: ['service', 'http', 'core'],
  openapi: ['service', 'http', 'core'],
  opentelemetry: ['service', 'http', 'core', '@opentelemetry/api'],
  terminus: ['service', '@nestjs/terminus'],
  cls: ['http', 'core', 'nestjs-cls'],
  client: [],
};

/** The same for the rooms of `core`: no arrow leads back up. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'session-core': ['life', 'announcing', 'options', 'outage', 'clock', 'token', 'policy', 'events', 'model'],
  life: ['announcing', 'outage', 'token', 'policy', 'events', 'model'],
  announcing: ['outage', 'model'],
  options: ['outage', 'policy', 'clock', 'model'],
  clock: ['model'],
  outage: ['model'],
  token: ['model'],
  policy: ['model'],
  events: ['outage', 'model'],
  model: [],
};
const PEERS: ReadonlySet<string> = new Set([
  'typeorm',
  '@nestjs/typeorm',
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/swagger',
  '@nestjs/terminus',
  '@opentelemetry/api',
  'nestjs-cls',
]);

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

function partOf(file: string): string {
  const [first = ''] = file.split('/');
  if (first.startsWith('session.module')) return 'module';
  if (first.startsWith('session.')) return 'service';
  return first.replace(/\.ts$/, '');
}

function roomOf(file: string): string {
  return file.split('/')[1]?.replace(/\.ts$/, '') ?? '';
}

function textOf(file: string): string {
  return readFileSync(join(SRC, file), 'utf8');
}

function importsOf(file: string): string[] {
  const imports = textOf(file).matchAll(/^(?:import|export)\s[^;]*?from '([^']+)'|\bimport\('([^']+)'\)/gms);
  return Array.from(imports, ([, first, late]) => first ?? late ?? '');
}

/** Those of its imports that are files of `src`. */
function neighboursOf(file: string): string[] {
  return importsOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => relative(SRC, join(SRC, dirname(file), specifier.replace(/\.js$/, '.ts'))));
}

it.each(files)('%s imports only what its part may', (file) => {
  const part = partOf(file);
  const allowed = ALLOWED[part];
  expect(allowed).toBeDefined();
  for (const target of neighboursOf(file).map(partOf)) {
    if (target !== part) expect(allowed).toContain(target);
  }
  for (const specifier of importsOf(file).filter((name) => !name.startsWith('.'))) {
    if (PEERS.has(specifier)) {
      const isNest = specifier === '@nestjs/common' || specifier === '@nestjs/core';
      if (isNest) expect(part).not.toBe('core');
      else expect(allowed).toContain(specifier);
    } else {
      // Nest from package roots only: its deep paths differ between versions.
      expect(specifier).not.toMatch(/^@nestjs\/[^/]+\//);
    }
  }
});

it.each(files.filter((file) => partOf(file) === 'core'))('%s imports only what its room may', (file) => {
  const room = roomOf(file);
  const allowed = ROOMS[room];
  expect(allowed).toBeDefined();
  for (const target of neighboursOf(file).map(roomOf)) if (target !== room) expect(allowed).toContain(target);
});

it('allows no arrow that nobody needs', () => {
  const used = (of: readonly string[], nameOf: (file: string) => string, name: string) => {
    const own = of.filter((file) => nameOf(file) === name);
    return new Set(
      own
        .flatMap(neighboursOf)
        .map(nameOf)
        .filter((target) => target !== name),
    );
  };
  const core = files.filter((file) => partOf(file) === 'core');
  for (const [room, allowed] of Object.entries(ROOMS)) {
    expect([room, new Set(allowed)]).toEqual([room, used(core, roomOf, room)]);
  }
  for (const [part, allowed] of Object.entries(ALLOWED)) {
    const parts = allowed.filter((name) => !PEERS.has(name));
    expect([part, new Set(parts)]).toEqual([part, used(files, partOf, part)]);
  }
});

it.each(files.filter((file) => partOf(file) !== 'core'))(
  '%s does not reach for the store of the core',
  (file) => {
    expect(textOf(file)).not.toMatch(/\bcore\s*\??\.\s*store\b/);
  },
);

it('tells that sessions are revoked in one place', () => {
  const telling = files.filter((file) => /type: 'revoked', reason/.test(textOf(file)));
  expect(telling).toEqual(['core/life/revocation.ts']);
});

it('has no files that import each other in a circle', () => {
  const finished = new Set<string>();
  function follow(file: string, path: readonly string[]): void {
    if (path.includes(file)) throw new Error([...path.slice(path.indexOf(file)), file].join(' → '));
    if (finished.has(file)) return;
    for (const neighbour of neighboursOf(file)) follow(neighbour, [...path, file]);
    finished.add(file);
  }
  for (const file of files) follow(file, []);
});

/** Once it is used, promises of the whole process are slower before Node 24: a fifth of the requests per second. */
it('has no context that follows promises by itself', () => {
  expect(files.filter((file) => textOf(file).includes('node:async_hooks'))).toEqual([]);
});

it('keeps its files small', () => {
  for (const file of files) {
    expect([file, textOf(file).split('\n').length <= 260]).toEqual([file, true]);
  }
});
