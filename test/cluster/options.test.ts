import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { redisBus, SessionModule } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';
import type { ClusterOptions } from '../../src/core/options/options.js';
import { resolveOptions } from '../../src/core/options/resolve-options.js';

const resolve = (cluster: unknown) => resolveOptions({ cluster: cluster as ClusterOptions }).cluster;

it('is off unless it is given', () => {
  expect(resolveOptions({}).cluster).toBeNull();
  expect(resolve(false)).toBeNull();
  expect(resolve({})).toEqual({ bus: null, cache: null, directUrl: null });
});

it('takes a cache with and without a size', () => {
  expect(resolve({ cache: true })?.cache).toEqual({ maxBytes: 67_108_864 });
  expect(resolve({ cache: { maxBytes: 2_000_000 } })?.cache).toEqual({ maxBytes: 2_000_000 });
  expect(resolve({ cache: false })?.cache).toBeNull();
});

it('takes what redisBus returns', () => {
  const client = () => ({ publish: () => Promise.resolve(0), subscribe: () => {}, on: () => {} });
  const bus = redisBus({ publisher: client(), subscriber: client() });
  expect(resolve({ bus })?.bus).toBe(bus);
});

it.each([
  [
    'a bus that is none',
    { bus: 'redis' },
    /`cluster.bus` is "redis": use 'postgres', 'table', what redisBus/,
  ],
  ['a class in the place of an instance', { bus: class {} }, /`cluster.bus` is a function/],
  ['another part', { buss: 'table' }, /`cluster.buss` is "table": there is no such option/],
  ['true', true, /`cluster` is true: pass an object/],
  ['a cache of no size', { cache: 'big' }, /`cluster.cache` is "big": pass an object/],
  [
    'a cache that is too small',
    { cache: { maxBytes: 10 } },
    /`cluster.cache.maxBytes` is 10: .* at least 1048576/,
  ],
  [
    'a direct URL for another bus',
    { bus: 'table', directUrl: 'postgres://u:p@h/d' },
    /it is for `bus: 'postgres'`/,
  ],
  [
    'a direct URL of something else',
    { bus: 'postgres', directUrl: 'mysql://u:p@h/d' },
    /`cluster.directUrl`/,
  ],
])('refuses %s, with the fix', (_, cluster, message) => {
  expect(() => resolve(cluster)).toThrow(message);
});

it('repeats no password of a direct URL', () => {
  for (const cluster of [
    { bus: 'table', directUrl: 'postgres://u:secret@h/d' },
    { bus: 'postgres', directUrl: 'mysql://u:secret@h/d' },
  ]) {
    const error = (() => {
      try {
        return resolve(cluster);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(JSON.stringify([String(error), error])).not.toContain('secret');
  }
});

it('is refused beside a store of the application’s own', async () => {
  const imports = [SessionModule.forRoot({ store: InMemorySessionStore, cluster: {} })];
  await expect(Test.createTestingModule({ imports }).compile()).rejects.toThrow(
    /`cluster` is an object: it needs the store on TypeORM/,
  );
});
