import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisBus, type SessionBus, SessionOptionsError } from 'nestjs-sessions';
import { sessionBusContract } from 'nestjs-sessions/testing';
import { createClient } from 'redis';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { PostgresBus } from '../../../src/cluster/buses/postgres-bus.js';
import { TableBus } from '../../../src/cluster/buses/table-bus.js';
import { ClusterNode } from '../../../src/cluster/cluster-node.js';
import { MACHINE_TIME } from '../../../src/cluster/node-time.js';
import { nodeOf } from '../../../src/cluster/node-of.js';
import { resolveOptions } from '../../../src/core/options/resolve-options.js';
import { clusterDatabaseOn } from '../../../src/store/cluster/cluster-database.js';
import { sessionEntities } from '../../../src/store/session.entity.js';
import { describeOnEachDatabase, type TestDatabase } from '../../support/databases.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const REDIS = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

await describeOnEachDatabase((leg) => {
  if (leg.name.startsWith('SQLite')) {
    it('is refused, with the fix: one process needs none', async () => {
      const database = await leg.create();
      const source = await new DataSource({
        ...database.options,
        entities: [...sessionEntities],
      }).initialize();
      expect(() => clusterDatabaseOn(source)).toThrow(
        /^SessionModule option `cluster` is an object: SQLite is for one process/,
      );
      await source.destroy();
      await database.drop();
    });
    return;
  }
  const isPostgres = leg.name === 'PostgreSQL';
  let database: TestDatabase;
  let source: DataSource;

  beforeAll(async () => {
    database = await leg.create();
    const entities = [...sessionEntities];
    source = await new DataSource({ ...database.options, entities, synchronize: true }).initialize();
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  describe('a table as the bus', () => {
    const make = () => new TableBus(clusterDatabaseOn(source).messages);
    const contract = sessionBusContract(async () => ({ bus: make(), second: make() }));
    it.each(contract.map(({ name, run }) => [name, run] as const))('%s', (_, run) => run());
  });

  if (!isPostgres) {
    it("`bus: 'postgres'` is refused, with the fix", () => {
      const { cluster } = resolveOptions({ cluster: { bus: 'postgres' } });
      expect(() => nodeOf(cluster!, clusterDatabaseOn(source))).toThrow(
        /^SessionModule option `cluster.bus` is "postgres": the data source is another database: use redisBus/,
      );
    });
    return;
  }

  describe('LISTEN and NOTIFY as the bus', () => {
    const make = (url: string | null = null) => new PostgresBus(() => clusterDatabaseOn(source).listen!(url));
    const contract = sessionBusContract(async () => ({ bus: make(), second: make() }));
    it.each(contract.map(({ name, run }) => [name, run] as const))('%s', (_, run) => run());

    it('hears again once its connection was lost', async () => {
      const { url } = database.options as { url: string };
      const { hostname, port } = new URL(url);
      const proxy = await TcpProxy.to(hostname, Number(port));
      const through = new URL(url);
      through.port = String(proxy.port);
      through.hostname = '127.0.0.1';
      const [lossy, steady] = [make(through.href), make()];
      let isHeard: () => void = () => {};
      const heard = new Promise<void>((resolve) => (isHeard = resolve));
      await lossy.subscribe('everybody', (message) => message === 'back' && isHeard());
      proxy.reset();
      // What is under way when it is closed has failed.
      const again = setInterval(() => steady.publish('everybody', 'back').catch(() => {}), 50);
      await heard;
      clearInterval(again);
      await Promise.all([lossy.close(), steady.close()]);
      await proxy.refuse();
    });

    it('stops the boot where a pooler takes LISTEN and delivers nothing', async () => {
      const deaf = await poolerInTransactionMode(database.options);
      const { listen, registry } = clusterDatabaseOn(source);
      const bus = new PostgresBus(() => listen!(deaf.url));
      const reporter = { onJoined: () => {}, onLeft: () => {} };
      const node = new ClusterNode({ registry, bus, maxBytes: null, time: MACHINE_TIME, reporter });
      await expect(node.start()).rejects.toThrow(
        /^SessionModule option `cluster.bus` is "PostgresBus": it takes messages, but delivers none .* `cluster.directUrl`/,
      );
      await node.stop();
      await node.close();
      await deaf.close();
    });
  });
});

describe.each(['ioredis', 'redis'] as const)('Redis as the bus, by %s', (library) => {
  const closing: (() => unknown)[] = [];
  afterAll(() => Promise.all(closing.map((close) => close())));

  async function make(): Promise<SessionBus> {
    if (library === 'ioredis') {
      const publisher = new Redis(REDIS);
      const subscriber = publisher.duplicate();
      closing.push(
        () => publisher.disconnect(),
        () => subscriber.disconnect(),
      );
      return redisBus({ publisher, subscriber });
    }
    const publisher = createClient({ url: REDIS });
    const subscriber = publisher.duplicate();
    await Promise.all([publisher.connect(), subscriber.connect()]);
    closing.push(
      () => publisher.destroy(),
      () => subscriber.destroy(),
    );
    return redisBus({ publisher, subscriber });
  }
  const contract = sessionBusContract(async () => ({ bus: await make(), second: await make() }));
  it.each(contract.map(({ name, run }) => [name, run] as const))('%s', (_, run) => run());
});

it.each([
  ['nothing', undefined],
  ['one client', { publisher: { publish: () => {} } }],
  [
    'the same client twice',
    (() => {
      const client = { publish: () => {}, subscribe: () => {}, on: () => {} };
      return { publisher: client, subscriber: client };
    })(),
  ],
])('redisBus refuses %s', (_, clients) => {
  expect(() => redisBus(clients as never)).toThrow(SessionOptionsError);
});

/** Passes everything but what PostgreSQL sends by itself: it has given the connection to somebody else meanwhile. */
async function poolerInTransactionMode(options: DataSourceOptions) {
  const url = new URL((options as { url: string }).url);
  const target = { host: url.hostname, port: Number(url.port) };
  const server = createServer((client) => {
    const upstream = connect(target);
    let rest = Buffer.alloc(0);
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      while (rest.length >= 5 && rest.length >= 1 + rest.readUInt32BE(1)) {
        const length = 1 + rest.readUInt32BE(1);
        if (rest[0] !== 'A'.charCodeAt(0)) client.write(rest.subarray(0, length));
        rest = rest.subarray(length);
      }
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return { url: url.href, close: () => server.close() };
}
