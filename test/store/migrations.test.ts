import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Column, DataSource, Entity, type EntityTarget } from 'typeorm';
import { CreateSessions1767225600000 } from '../../src/store/migrations/index.js';
import { BaseSessionEntity, SessionEntity, SessionUserEntity } from '../../src/store/session.entity.js';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';

@Entity('app_sessions')
class AppSessionEntity extends BaseSessionEntity {}

@Entity('app_sessions')
class ExtendedSessionEntity extends BaseSessionEntity {
  @Column({ name: 'tenant', type: 'varchar', length: 40, nullable: true })
  tenant!: string | null;
}

class CreateAppSessions1767225600000 extends CreateSessions1767225600000 {
  protected override readonly sessionTable = 'app_sessions';
}

await describeOnEachDatabase((leg) => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeEach(async () => {
    database = await leg.create();
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  async function migrate(
    entity: EntityTarget<BaseSessionEntity>,
    migration: new () => CreateSessions1767225600000,
  ) {
    const entities = [entity as never, SessionUserEntity];
    dataSource = await new DataSource({
      ...database.options,
      entities,
      migrations: [migration],
    }).initialize();
    await dataSource.runMigrations();
  }

  /** What TypeORM would still change to make the schema that the entities ask for. */
  async function differences(): Promise<string[]> {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  }

  it('makes the very schema that the entity asks for, and takes it back', async () => {
    await migrate(SessionEntity, CreateSessions1767225600000);
    expect(await differences()).toEqual([]);
    await dataSource.undoLastMigration();
    const runner = dataSource.createQueryRunner();
    expect([await runner.hasTable('sessions'), await runner.hasTable('session_users')]).toEqual([
      false,
      false,
    ]);
    await runner.release();
  });

  it('gives the table another name', async () => {
    await migrate(AppSessionEntity, CreateAppSessions1767225600000);
    expect(await differences()).toEqual([]);
  });

  it('leaves to a migration of the application only the columns that it added', async () => {
    await migrate(ExtendedSessionEntity, CreateAppSessions1767225600000);
    const others = (await differences()).filter((query) => !query.includes('tenant'));
    // SQLite adds a column by making the table anew.
    const isRemake = (query: string) => /temporary_app_sessions|INDEX|DROP TABLE/.test(query);
    expect(leg.name.startsWith('SQLite') ? others.filter((query) => !isRemake(query)) : others).toEqual([]);
  });
});
