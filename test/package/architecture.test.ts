import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from '@jest/globals';

const SRC = resolve('src');

/** Which part of `src` may import which others. What Nest and TypeORM are to each part belongs to it too. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  index: ['module', 'service', 'http', 'store', 'core'],
  module: ['service', 'http', 'store', 'purge', 'audit', 'core', '@nestjs/typeorm', 'typeorm'],
  http: ['service', 'core'],
  purge: ['service', 'core'],
  audit: ['service', 'core'],
  service: ['core'],
  store: ['core', 'typeorm'],
  core: [],
  testing: ['service', 'http', 'core'],
  client: [],
};
const PEERS: ReadonlySet<string> = new Set(['typeorm', '@nestjs/typeorm', '@nestjs/common', '@nestjs/core']);

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

function partOf(file: string): string {
  const [first = ''] = file.split('/');
  if (first.startsWith('session.module')) return 'module';
  if (first.startsWith('session.')) return 'service';
  return first.replace(/\.ts$/, '');
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s[^;]*?from '([^']+)'/gms)].map((match) => match[1] ?? '');
}

it.each(files)('%s imports only what its part may', (file) => {
  const part = partOf(file);
  const allowed = ALLOWED[part];
  expect(allowed).toBeDefined();
  for (const specifier of importsOf(file)) {
    if (specifier.startsWith('.')) {
      const target = partOf(relative(SRC, join(SRC, dirname(file), specifier.replace(/\.js$/, '.ts'))));
      if (target !== part) expect(allowed).toContain(target);
    } else if (PEERS.has(specifier)) {
      const isNest = specifier === '@nestjs/common' || specifier === '@nestjs/core';
      if (isNest) expect(part).not.toBe('core');
      else expect(allowed).toContain(specifier);
    } else {
      // Nest from package roots only: its deep paths differ between versions.
      expect(specifier).not.toMatch(/^@nestjs\/[^/]+\//);
    }
  }
});

it('keeps its files small', () => {
  for (const file of files) {
    expect([file, readFileSync(join(SRC, file), 'utf8').split('\n').length <= 260]).toEqual([file, true]);
  }
});
