import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { describeOnEachDatabase } from '../support/databases.js';
import { EFFORT } from '../support/exploration.js';
import { TestCluster, type TestNode } from '../support/store.js';

@Entity('notes')
class Note {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar', length: 40 })
  text!: string;
}

const ROUNDS = 100 * EFFORT;

jest.setTimeout(60_000 * EFFORT);

await describeOnEachDatabase((leg) => {
  let cluster: TestCluster;
  let node: TestNode;
  let dataSource: DataSource;

  beforeAll(async () => {
    cluster = await TestCluster.on(leg);
    node = await cluster.node({}, [Note]);
    dataSource = node.dataSource;
  });
  afterAll(() => cluster.close());

  /** A transaction of the application's that takes its time, and rolls back. */
  async function rollBack(): Promise<void> {
    const failure = dataSource.transaction(async (manager) => {
      await manager.insert(Note, { text: 'undone' });
      await wait(Math.random() * 4);
      await manager.insert(Note, { text: 'undone too' });
      throw new Error('rolled back');
    });
    await expect(failure).rejects.toThrow('rolled back');
  }

  it('keeps what sessions did while a transaction of the application rolls back', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const ended = await node.service.create({ userId: 'ana' });
      const rotated = await node.service.create({ userId: 'ana' });
      const pause = () => wait(Math.random() * 4);
      const [, , made, next] = await Promise.all([
        rollBack(),
        pause().then(() => node.service.revoke(ended.session.id)),
        pause().then(() => node.service.create({ userId: 'bob' })),
        pause().then(() => node.service.rotate(rotated.session.id)),
      ]);
      const reasons = await Promise.all(
        [ended, made, rotated, next].map(
          async ({ token }) => (await node.service.validate(token)).reason ?? 'live',
        ),
      );
      expect(reasons).toEqual(['unknown', 'live', 'rotated', 'live']);
    }
    expect(await dataSource.getRepository(Note).count()).toBe(0);
    expect(node.outages).toEqual([]);
  });

  it('disturbs neither the transactions of the application nor its parallel saves', async () => {
    const notes = dataSource.getRepository(Note);
    const busy = { isOver: false };
    const sessions = (async () => {
      while (!busy.isOver) {
        const { session } = await node.service.create({ userId: 'zoe' });
        await node.service.update(session.id, () => ({ seen: true }));
        await node.service.revoke(session.id);
      }
    })();
    for (let round = 0; round < 100; round++) {
      await dataSource.transaction(async (manager) => {
        const count = await manager.count(Note);
        await wait(1);
        await manager.insert(Note, { text: `note ${count}` });
      });
      await Promise.all([1, 2, 3].map(() => notes.save({ text: 'parallel' })));
    }
    busy.isOver = true;
    await sessions;
    expect(await notes.count()).toBe(400);
    expect(node.outages).toEqual([]);
    await notes.clear();
  });

  it('lets transactions of the application begin at the same moment, also beside a write of a session', async () => {
    const notes = dataSource.getRepository(Note);
    for (let round = 0; round < 20; round++) {
      await Promise.all([
        node.service.create({ userId: 'ana' }),
        ...[1, 2, 3].map((at) =>
          dataSource.transaction(async (manager) => {
            await manager.insert(Note, { text: `at once ${at}` });
          }),
        ),
      ]);
    }
    expect(await notes.count()).toBe(60);
    await rollBack();
    expect(await notes.count()).toBe(60);
    // Whatever stayed open would show here: TypeORM would take this for a part of it, and a rollback for the end.
    if (leg.name.startsWith('SQLite')) await dataSource.query('VACUUM');
    await notes.clear();
  });

  // On servers the writes of sessions are transactions too, with the same subscribers.
  const describeOnOneConnection = leg.name.startsWith('SQLite') ? describe : describe.skip;

  describeOnOneConnection('where a subscriber of the application throws', () => {
    type Moment = 'beforeTransactionStart' | 'afterTransactionCommit' | 'afterTransactionRollback';
    const MOMENTS: Moment[] = [
      'beforeTransactionStart',
      'afterTransactionCommit',
      'afterTransactionRollback',
    ];
    const HOWS: [how: string, complain: () => unknown][] = [
      [
        'at once',
        () => {
          throw new Error('no');
        },
      ],
      ['in a promise', () => Promise.reject(new Error('no'))],
      [
        'in the end',
        async () => {
          await wait(20);
          throw new Error('no');
        },
      ],
    ];
    const CASES = MOMENTS.flatMap((moment) =>
      HOWS.flatMap(([how, complain]) =>
        (['first', 'last'] as const).map((place) => ({ moment, how, complain, place })),
      ),
    );

    it.each(CASES)('$how $moment, as the $place one, sessions go on', async ({ moment, complain, place }) => {
      const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
      const subscriber = { [moment]: complain };
      dataSource.subscribers[place === 'first' ? 'unshift' : 'push'](subscriber);
      const begin = () =>
        dataSource
          .transaction(async () => {
            if (moment === 'afterTransactionRollback') throw new Error('rolled back');
          })
          .catch(() => {});
      try {
        await begin();
        // At the same time too, when the write waits for the transaction's end already.
        const begun = begin();
        await node.service.create({ userId: 'sub' });
        await begun;
      } finally {
        dataSource.subscribers.splice(dataSource.subscribers.indexOf(subscriber), 1);
      }
      await node.service.create({ userId: 'sub' });
      await dataSource.transaction(async (manager) => {
        await manager.count(Note);
      });
      await node.service.create({ userId: 'sub' });
      // It says so when it gives up waiting.
      expect(warn).not.toHaveBeenCalled();
      warn.mockRestore();
      expect(node.outages).toEqual([]);
    });
  });

  it('lets a verb inside of a transaction join it in the end, with a warning, rather than hang', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const { session, token } = await node.service.create({ userId: 'ana' });
    const began = Date.now();
    await dataSource.transaction(async (manager) => {
      await manager.insert(Note, { text: 'kept' });
      await node.service.revoke(session.id);
    });
    expect(Date.now() - began).toBeLessThan(3_000);
    expect((await node.service.validate(token)).reason).toBe('unknown');
    expect(await dataSource.getRepository(Note).count()).toBe(1);
    const isSqlite = leg.name.startsWith('SQLite');
    expect(warn).toHaveBeenCalledTimes(isSqlite ? 1 : 0);
    warn.mockRestore();
  });
});
