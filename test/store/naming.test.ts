import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sessionStoreContract } from 'nestjs-sessions/testing';
import { DataSource, DefaultNamingStrategy } from 'typeorm';
import { CreateSessions1767225600000 } from '../../src/store/migrations/index.js';
import { SessionEntity, SessionUserEntity, sessionEntities } from '../../src/store/session.entity.js';
import { TypeOrmSessionStore } from '../../src/store/typeorm-session.store.js';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';

/** Leaves no table and no column the name that the entities give it. */
class RenamingStrategy extends DefaultNamingStrategy {
  override tableName(targetName: string, given: string | undefined): string {
    return `T_${given ?? targetName}`.toUpperCase();
  }

  override columnName(property: string, given: string | undefined): string {
    return `C_${given ?? property}`.toUpperCase();
  }
}

await describeOnEachDatabase((leg) => {
  const schemas = leg.name === 'PostgreSQL' ? [undefined, 'Auth'] : [undefined];

  describe.each(schemas)('where a naming strategy renames everything, in the schema %s', (schema) => {
    let database: TestDatabase;
    const dataSources: DataSource[] = [];
    const stores: TypeOrmSessionStore[] = [];

    async function connect(): Promise<DataSource> {
      const dataSource = new DataSource({
        ...database.options,
        ...(schema !== undefined && { schema }),
        namingStrategy: new RenamingStrategy(),
        entityPrefix: 'App_',
        entities: [...sessionEntities],
        migrations: [CreateSessions1767225600000],
      } as never);
      dataSources.push(await dataSource.initialize());
      stores.push(new TypeOrmSessionStore(dataSource, { entity: SessionEntity, purgeBatchSize: null }));
      return dataSource;
    }

    beforeAll(async () => {
      database = await leg.create();
      const dataSource = await connect();
      if (schema !== undefined) await dataSource.query(`CREATE SCHEMA "${schema}"`);
      await dataSource.synchronize();
      if (leg.isShared) await connect();
    });
    afterAll(async () => {
      for (const dataSource of dataSources) await dataSource.destroy();
      await database.drop();
    });

    const [first, second] = [() => stores[0]!, () => stores.at(-1)!];

    async function create() {
      await first().flush();
      await second().flush();
      for (const entity of sessionEntities) {
        await dataSources[0]!.createQueryBuilder().delete().from(entity).execute();
      }
      return { store: first(), second: second() };
    }

    for (const { name, run } of sessionStoreContract(create)) it(name, run, 60_000);

    it('the tables have the names of the strategy', () => {
      const names = [SessionEntity, SessionUserEntity].map((entity) => {
        const { tablePath, columns } = dataSources[0]!.getMetadata(entity);
        return [tablePath, columns[0]?.databaseName];
      });
      const path = (table: string) => (schema === undefined ? table : `${schema}.${table}`);
      expect(names).toEqual([
        [path('App_T_SESSIONS'), 'C_ID'],
        [path('App_T_SESSION_USERS'), 'C_USER_HASH'],
      ]);
    });

    it('the migration gives the same names, and takes the tables back', async () => {
      const [dataSource] = dataSources as [DataSource];
      const differences = async () => (await dataSource.driver.createSchemaBuilder().log()).upQueries;
      const runner = dataSource.createQueryRunner();
      for (const entity of sessionEntities) await runner.dropTable(dataSource.getMetadata(entity).tablePath);
      await dataSource.runMigrations();
      expect((await differences()).map(({ query }) => query)).toEqual([]);
      await dataSource.undoLastMigration();
      for (const entity of sessionEntities)
        expect(await runner.hasTable(dataSource.getMetadata(entity).tablePath)).toBe(false);
      await runner.release();
    });
  });
});
