import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { MARIADB_PROGRAMS, MariadbServer } from '../support/servers/mariadb-server.js';
import { POSTGRES_PROGRAMS, PostgresServer } from '../support/servers/postgres-server.js';
import { describeWith } from '../support/servers/programs.js';
import { answerOf } from '../support/load.js';
import { TestCluster, type TestNode } from '../support/store.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** Connections in the pool. */
const POOL = 4;
const MANY = 20;
/** Longer than it takes until connections may be ended again. */
const A_WHILE = 1_200;

interface Pair {
  /** Takes writes, now and later. */
  readonly primary: { readonly port: number; readonly options: DataSourceOptions };
  /** Takes none, and does not hear of them any more. */
  readonly standby: { readonly port: number };
  optionsAt(port: number): DataSourceOptions;
  /** What the primary has is on the standby when this returns, and nothing is any more that comes later. */
  cutOff(): Promise<void>;
  /** The primary vanishes, and the standby takes its place. */
  promote?(): Promise<void>;
  drop(): Promise<void>;
}

/** The suite of an address behind which a standby answered for a moment, and perhaps is promoted in the end. */
function standbySuite(isPromoted: boolean, start: () => Promise<Pair>): void {
  let pair: Pair;
  let proxy: TcpProxy;
  let cluster: TestCluster;
  /** By the address that moves. */
  let node: TestNode;
  /** Straight to the primary. */
  let straight: TestNode;

  beforeAll(async () => {
    pair = await start();
    proxy = await TcpProxy.to('127.0.0.1', pair.primary.port);
    cluster = await TestCluster.in(pair.primary.options);
    straight = await cluster.node();
    node = await cluster.nodeOn(pair.optionsAt(proxy.port));
  });
  afterAll(async () => {
    await proxy.refuse();
    await cluster.close();
    await pair.drop();
  });
  beforeEach(() => wait(A_WHILE));

  const validating = (token: string) =>
    Promise.all(Array.from({ length: MANY }, () => answerOf(node.service.validate(token))));

  it('takes no session for live that only the standby has, and gets rid of the connections to it', async () => {
    const { session, token } = await node.service.create({ userId: 'ana' });
    const kept = await node.service.create({ userId: 'bob' });
    await pair.cutOff();
    await straight.service.revoke(session.id);
    const later = await straight.service.create({ userId: 'eve' });

    proxy.moveTo(pair.standby.port);
    proxy.reset();
    await fill(node.dataSource);
    expect(new Set(await validating(token))).toEqual(new Set(['unavailable']));
    expect(new Set(await validating(later.token))).toEqual(new Set(['unavailable']));
    await expect(node.service.get(session.id)).rejects.toMatchObject({ status: 503 });
    await expect(node.service.list('ana')).rejects.toMatchObject({ status: 503 });
    await expect(node.service.list('nobody')).rejects.toMatchObject({ status: 503 });
    await expect(node.service.create({ userId: 'ana' })).rejects.toMatchObject({ status: 503 });
    await expect(node.service.revokeAll('ana')).rejects.toMatchObject({ status: 503 });

    await fill(node.dataSource);
    await wait(A_WHILE);
    proxy.moveTo(pair.primary.port);
    expect(new Set(await validating(token))).toEqual(new Set(['unknown']));
    expect(new Set(await validating(kept.token))).toEqual(new Set(['live']));
    expect(new Set(await validating(later.token))).toEqual(new Set(['live']));
    expect(await node.service.list('bob')).toHaveLength(1);
  });

  it('signs in at once over connections that were to the standby', async () => {
    proxy.moveTo(pair.standby.port);
    proxy.reset();
    await fill(node.dataSource);
    proxy.moveTo(pair.primary.port);
    const signedIn = await Promise.all(
      Array.from({ length: MANY }, (_, nth) => node.service.create({ userId: `user-${nth}` })),
    );
    expect(await answerOf(straight.service.validate(signedIn.at(-1)?.token ?? ''))).toBe('live');
  });

  if (!isPromoted) return;

  it('goes on where the standby is promoted, with connections from before that', async () => {
    const before = await node.store.latestChange();
    const { token } = await node.service.create({ userId: 'ana' });
    proxy.moveTo(pair.standby.port);
    proxy.reset();
    await fill(node.dataSource);
    await pair.promote?.();
    expect(new Set(await validating(token))).toEqual(new Set(['live']));
    await node.service.revokeAll('ana');
    expect(new Set(await validating(token))).toEqual(new Set(['unknown']));
    expect(await node.store.latestChange()).toBeGreaterThan(before);
  });
}

/** All connections of the pool are open when this returns: it is as full as under load. */
async function fill(dataSource: DataSource): Promise<void> {
  await Promise.all(Array.from({ length: POOL }, () => dataSource.query('SELECT 1').catch(() => {})));
}

describeWith(POSTGRES_PROGRAMS, 'beside a standby of PostgreSQL', () => {
  standbySuite(true, async () => {
    const primary = await PostgresServer.start();
    const standby = await primary.copy({ follow: true });
    return {
      primary,
      standby,
      optionsAt: (port) =>
        ({ type: 'postgres', url: primary.urlAt(port), extra: { max: POOL } }) as DataSourceOptions,
      async cutOff() {
        await standby.catchUpWith(primary);
        await standby.query('SELECT pg_wal_replay_pause()');
      },
      async promote() {
        await standby.query('SELECT pg_wal_replay_resume()');
        await standby.catchUpWith(primary);
        await primary.stop();
        await standby.promote();
      },
      drop: () => Promise.all([primary.drop(), standby.drop()]).then(() => {}),
    };
  });
});

describeWith(MARIADB_PROGRAMS, 'beside a server of MariaDB that has become read-only', () => {
  standbySuite(false, async () => {
    const [primary, standby] = [await MariadbServer.start(), await MariadbServer.start()];
    return {
      primary,
      standby,
      optionsAt: (port) =>
        ({ ...primary.optionsAt(port), extra: { connectionLimit: POOL } }) as DataSourceOptions,
      async cutOff() {
        await standby.copyTables(primary, 'sessions', 'session_users');
        await standby.query('SET GLOBAL read_only = 1');
      },
      drop: () => Promise.all([primary.drop(), standby.drop()]).then(() => {}),
    };
  });
});
