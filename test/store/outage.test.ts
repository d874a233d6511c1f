import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { STORE_PATIENCE, WORK_PATIENCE } from '../../src/core/outage/time-budgets.js';
import { WatchedStore } from '../../src/core/outage/watched-store.js';
import type { SessionModuleOptions } from '../../src/core/options/options.js';
import { resolveOptions } from '../../src/core/options/resolve-options.js';
import type { SessionEvent } from '../../src/core/model/session-event.js';
import type { ActiveSession } from '../../src/core/model/session.js';
import { SessionCore } from '../../src/core/session-core.js';
import type { SessionStore } from '../../src/core/model/store.js';
import { SessionStoreUnavailableException } from '../../src/session.exceptions.js';
import { SessionService } from '../../src/session.service.js';
import { SessionEntity, sessionEntities } from '../../src/store/session.entity.js';
import { TypeOrmSessionStore } from '../../src/store/typeorm-session.store.js';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { answerOf, BLINK, Load, LONGEST_ANSWER } from '../support/load.js';
import { TcpProxy } from '../support/tcp-proxy.js';

// Its limits are seconds: where the machine stood still for so long, it is asked again.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

await describeOnEachDatabase((leg) => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let node: Node;
  let load: Load;
  let warnings: jest.SpiedFunction<Logger['warn']>;

  beforeAll(async () => {
    database = await leg.create();
    warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  });
  afterAll(async () => {
    warnings.mockRestore();
    await database.drop();
  });

  if (leg.name.startsWith('SQLite')) {
    it('answers 503 when the data source was closed, and works again once it is open', async () => {
      node = await Node.on(database.options);
      const { token, session } = await node.service.create({ userId: 'ana' });
      expect(await answerOf(node.service.validate(token))).toBe('live');
      await node.dataSource.destroy();
      for (const verb of verbsOn(node.service, session.id)) await expectUnavailable(verb);
      await expectUnavailable(node.service.validate(token));
      expect(node.reports).toEqual(['down']);

      await node.dataSource.initialize();
      if (leg.isShared) expect(await answerOf(node.service.validate(token))).toBe('live');
      else await node.dataSource.synchronize();
      await node.service.create({ userId: 'bob' });
      expect(node.reports).toEqual(['down', 'up']);
      await node.close();
    });
    return;
  }

  beforeEach(async () => {
    const url = new URL((database.options as { url: string }).url);
    proxy = await TcpProxy.to(url.hostname, Number(url.port));
    url.port = String(proxy.port);
    // As docs/operations.md says: an attempt to connect that began in the outage must not last for ever.
    const timeout = leg.name === 'PostgreSQL' ? { connectTimeoutMS: 5_000 } : { connectTimeout: 5_000 };
    node = await Node.on({ ...database.options, ...timeout, url: url.href } as DataSourceOptions);
  });
  afterEach(async () => {
    await load.stop();
    await proxy.refuse();
    await node.close();
  });

  it('answers 503 while connections break and are refused, and works again by itself', async () => {
    const { service } = node;
    load = await Load.start(service);
    const [toRevoke, toKeep] = [
      await service.create({ userId: 'bob' }),
      await service.create({ userId: 'eve' }),
    ];
    await wait(300);

    await load.duringOutage(async () => {
      await proxy.refuse();
      await wait(BLINK);
      for (const verb of verbsOn(service, toRevoke.session.id)) await expectUnavailable(verb);
      await wait(500);
      return () => proxy.open();
    });

    expect(await service.revoke(toRevoke.session.id)).toBe(true);
    expect(await answerOf(service.validate(toRevoke.token))).toBe('unknown');
    expect(await answerOf(service.validate(toKeep.token))).toBe('live');
    await node.expectActivityIsWritten(load.session);
    expect(node.reports).toEqual(['down', 'up']);
  });

  it('reports each of three outages once', async () => {
    load = await Load.start(node.service);
    for (let outage = 1; outage <= 3; outage++) {
      await wait(100);
      await load.duringOutage(async () => {
        await proxy.refuse();
        await wait(2 * BLINK);
        return () => proxy.open();
      });
      expect(node.reports).toEqual(Array.from({ length: outage }, () => ['down', 'up']).flat());
    }
  });

  it('tells in the audit of what it has sent and never got an answer to, and of nothing else', async () => {
    const { service } = node;
    load = await Load.start(service);
    await load.stop();
    await Promise.all(Array.from({ length: 8 }, () => service.createAnonymous())); // so many connections
    const told: SessionEvent[] = [];
    service.events.subscribe((event) => told.push(event));
    proxy.silence();
    await Promise.all(
      [service.createAnonymous(), service.setRoles('bob', ['support']), service.revokeAll('eve')].map(
        expectUnavailable,
      ),
    );
    proxy.reset();
    expect(told).toEqual(
      expect.arrayContaining(
        [
          { attempt: 'sign-in', sessionId: expect.any(String), userId: null },
          { attempt: 'mark', sessionId: null, userId: 'bob' },
          { attempt: 'mark', sessionId: null, userId: 'eve' },
        ].map((each) => expect.objectContaining({ type: 'outcome-unknown', ...each })),
      ),
    );
    expect(told).toHaveLength(3);
    await proxy.refuse();
    await wait(BLINK); // the pool knows by then
    for (const verb of [service.createAnonymous(), service.revokeAll('eve')]) await expectUnavailable(verb);
    expect(told).toHaveLength(3);
    await proxy.open();
  });

  it.each([
    ['what was sent arrives after all', (through: TcpProxy) => through.heal()],
    ['the connections turn out to be broken', (through: TcpProxy) => through.reset()],
    ['nobody ever hears of the connections again', (through: TcpProxy) => through.forget()],
  ])(
    'answers 503 within 6 s while nothing arrives, and works again by itself when %s',
    async (_, end) => {
      const { service } = node;
      load = await Load.start(service);
      const toRevoke = await service.create({ userId: 'bob' });
      await wait(300);

      await load.duringOutage(async () => {
        proxy.silence();
        await Promise.all(verbsOn(service, toRevoke.session.id).map(expectUnavailable));
        await wait(STORE_PATIENCE - WORK_PATIENCE + BLINK); // reads are given up later than changes
        return () => end(proxy);
      });

      // What was answered 503 may have happened or not. Asked again it works, also what waits for activity to be written.
      await service.revoke(toRevoke.session.id);
      expect(await answerOf(service.validate(toRevoke.token))).toBe('unknown');
      await service.revokeAll('bob');
      const { session } = await service.create({ userId: 'bob' });
      expect((await service.list('bob')).map(({ id }) => id)).toEqual([session.id]);
      await node.expectActivityIsWritten(load.session);
      expect(node.reports).toEqual(['down', 'up']);
    },
    60_000,
  );
});

it('takes nothing that was asked before an outage, or before its end, for the news of now', async () => {
  const answers: { resolve(): void; reject(error: Error): void }[] = [];
  const store = {
    findById: () => new Promise<void>((resolve, reject) => answers.push({ resolve, reject })),
    touch: async () => {},
    flush: async () => {},
  };
  const reports: string[] = [];
  const watched = new WatchedStore(store as unknown as SessionStore, {
    onOutage: () => reports.push('down'),
    onRecovery: () => reports.push('up'),
  });
  const ask = () => watched.findById('').catch(() => {});
  const calls = [ask(), ask()];
  answers[0]?.reject(new Error('connection lost'));
  await calls[0];
  expect(reports).toEqual(['down']);

  answers[1]?.resolve(); // it had arrived before the connections broke
  await calls[1];
  await watched.touch({} as never, false); // only noted
  await watched.flush(); // never fails
  expect(reports).toEqual(['down']);

  calls.push(ask(), ask());
  answers[2]?.resolve();
  await calls[2];
  expect(reports).toEqual(['down', 'up']);
  answers[3]?.reject(new Error('no answer in time')); // it was asked in the outage
  await calls[3];
  expect(reports).toEqual(['down', 'up']);
});

/** One node, whose reports of outages and recoveries are kept in their order. */
class Node {
  private constructor(
    readonly dataSource: DataSource,
    readonly service: SessionService,
    readonly store: TypeOrmSessionStore,
    readonly reports: ('down' | 'up')[],
  ) {}

  static async on(options: DataSourceOptions): Promise<Node> {
    const entities = [...sessionEntities];
    const dataSource = await new DataSource({ ...options, entities, synchronize: true }).initialize();
    const reports: ('down' | 'up')[] = [];
    const given: SessionModuleOptions = { touchEvery: 0, maxSessionsPerUser: 5 };
    const store = new TypeOrmSessionStore(dataSource, { entity: SessionEntity, purgeBatchSize: null });
    const core = new SessionCore(resolveOptions(given), store, {
      onOutage: () => reports.push('down'),
      onRecovery: () => reports.push('up'),
      onSubscriberError: () => {},
      onUnknownRoles: () => {},
    });
    return new Node(dataSource, new SessionService(core), store, reports);
  }

  /** Of what was noted before nothing is waited for: it may be lost. */
  async expectActivityIsWritten({ id }: ActiveSession): Promise<void> {
    const now = Date.now();
    await wait(100);
    await this.store.flush();
    const row = await this.dataSource.getRepository(SessionEntity).findOneByOrFail({ id });
    expect(row.lastSeenAt).toBeGreaterThan(now);
  }

  async close(): Promise<void> {
    await Promise.race([this.store.flush(), wait(1_000, undefined, { ref: false })]);
    // Connections that are broken, or that nobody hears of, fail or hang here.
    await Promise.race([this.dataSource.destroy().catch(() => {}), wait(2_000, undefined, { ref: false })]);
  }
}

/** All verbs but those that may take as long as they need. */
function verbsOn(service: SessionService, id: string): Promise<unknown>[] {
  return [
    service.create({ userId: 'bob' }),
    service.createAnonymous(),
    service.authenticate(id, { userId: 'bob' }),
    service.rotate(id),
    service.get(id),
    service.list('bob'),
    service.update(id, () => ({ n: 1 })),
    service.setRoles('bob', ['support']),
    service.revoke(id),
    service.revokeAll('bob'),
  ];
}

async function expectUnavailable(verb: Promise<unknown>): Promise<void> {
  const asked = Date.now();
  const error = await verb.then(
    (result) => new Error(`An answer: ${JSON.stringify(result)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SessionStoreUnavailableException);
  const { headers } = error as SessionStoreUnavailableException;
  expect((error as SessionStoreUnavailableException).getStatus()).toBe(503);
  expect(Number(headers['Retry-After'])).toBeGreaterThan(0);
  expect(Number(headers['Retry-After'])).toBeLessThanOrEqual(5);
  expect(Date.now() - asked).toBeLessThan(LONGEST_ANSWER);
}
