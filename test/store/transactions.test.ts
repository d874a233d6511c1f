import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
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
