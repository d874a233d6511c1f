import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import {
  BaseSessionEntity,
  type ClusterOptions,
  SessionEntity,
  sessionEntities,
  SessionModule,
  type SessionModuleOptions,
  type SessionModuleStaticOptions,
  SessionSchemaError,
  SessionService,
  SessionUserEntity,
} from 'nestjs-sessions';
import * as migrations from 'nestjs-sessions/migrations';
import { Column, DataSource, DefaultNamingStrategy, Entity } from 'typeorm';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { LogRecorder } from '../support/recorders.js';

@Entity('app_sessions')
class AppSessionEntity extends BaseSessionEntity {
  @Column({ name: 'tenant', type: 'varchar', length: 40, nullable: true })
  tenant!: string | null;
}

class RenamingStrategy extends DefaultNamingStrategy {
  override tableName(targetName: string, given: string | undefined): string {
    return `T_${given ?? targetName}`.toUpperCase();
  }
}

const MIGRATIONS = Object.values(migrations);

await describeOnEachDatabase((leg) => {
  // Each connection to one in memory has a database of its own.
  if (!leg.isShared) return;
  let database: TestDatabase;
  let logs: LogRecorder;
  const running: INestApplication[] = [];

  beforeEach(async () => {
    database = await leg.create();
    logs = new LogRecorder();
  });
  afterEach(async () => {
    for (const app of running.splice(0)) {
      await app.close();
      const source = app.get<DataSource>(getDataSourceToken(), { strict: false });
      if (source.isInitialized) await source.destroy();
    }
    await database.drop();
  });

  /** As the application boots, with what its data source says. */
  async function boot(
    typeorm: Partial<TypeOrmModuleOptions>,
    options: SessionModuleOptions & SessionModuleStaticOptions = {},
  ): Promise<INestApplication> {
    const source = { ...database.options, retryAttempts: 0, ...typeorm } as TypeOrmModuleOptions;
    const builder = Test.createTestingModule({
      imports: [TypeOrmModule.forRoot(source), SessionModule.forRoot(options)],
    });
    builder.setLogger(logs);
    const app = (await builder.compile()).createNestApplication();
    running.push(app);
    return app.init();
  }

  async function query(...statements: string[]): Promise<void> {
    const source = await new DataSource(database.options).initialize();
    for (const statement of statements) await source.query(statement);
    await source.destroy();
  }

  async function refusal(...given: Parameters<typeof boot>): Promise<string> {
    const error: unknown = await boot(...given).then(
      () => 'it has booted',
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SessionSchemaError);
    return String(error);
  }

  describe('the boot is refused, and the message says what to do,', () => {
    it('where the data source does not know the entities', async () => {
      const says = await refusal({ synchronize: true, entities: [] });
      expect(says).toContain(
        'The data source of the sessions does not know SessionEntity and SessionUserEntity',
      );
      expect(says).toContain('`autoLoadEntities: true`');
      expect(says).toContain('`...sessionEntities`');
    });

    it('where it knows only some, or not the one of the application', async () => {
      const own = { entity: AppSessionEntity };
      expect(await refusal({ synchronize: true, entities: [...sessionEntities] }, own)).toContain(
        'does not know AppSessionEntity.',
      );
      expect(await refusal({ synchronize: true, entities: [SessionEntity] })).toContain(
        'does not know SessionUserEntity.',
      );
    });

    it('where the migration has not run', async () => {
      const says = await refusal({ autoLoadEntities: true });
      expect(says).toContain('has no table `sessions`');
      expect(says).toContain("'nestjs-sessions/migrations'");
      for (const name of Object.keys(migrations)) expect(says).toContain(name);
    });

    it.each([[SessionEntity], [SessionUserEntity]])('where the table of %p is missing', async (entity) => {
      const app = await boot({ autoLoadEntities: true, migrations: MIGRATIONS, migrationsRun: true });
      const { tableName } = app.get<DataSource>(getDataSourceToken()).getMetadata(entity);
      await query(`DROP TABLE ${tableName}`);
      expect(await refusal({ autoLoadEntities: true })).toContain(`has no table \`${tableName}\``);
    });

    it('where a table is missing that the option `cluster` needs, and not without that', async () => {
      if (leg.name.startsWith('SQLite')) return;
      await boot({ autoLoadEntities: true, migrations: MIGRATIONS, migrationsRun: true });
      await query('DROP TABLE session_messages');
      await boot({ autoLoadEntities: true });
      const refused = (cluster: ClusterOptions) => refusal({ autoLoadEntities: true }, { cluster });
      expect(await refused({ bus: 'table' })).toContain('has no table `session_messages`');
      await query('DROP TABLE session_nodes');
      await boot({ autoLoadEntities: true });
      expect(await refused({})).toContain('has no table `session_nodes`');
    });

    it('where a column is missing, also one of the application', async () => {
      await boot({ autoLoadEntities: true, migrations: MIGRATIONS, migrationsRun: true });
      await query('ALTER TABLE sessions DROP COLUMN label');
      expect(await refusal({ autoLoadEntities: true })).toContain(
        'The table `sessions` has no column `label`.',
      );
      await query('ALTER TABLE sessions RENAME TO app_sessions');
      expect(await refusal({ autoLoadEntities: true }, { entity: AppSessionEntity })).toContain(
        'The table `app_sessions` has no column `label`, `tenant`.',
      );
    });
  });

  describe('the application boots', () => {
    it.each<[string, Partial<TypeOrmModuleOptions>, SessionModuleStaticOptions]>([
      ['after `synchronize`', { synchronize: true, autoLoadEntities: true }, {}],
      ['with the entities listed', { synchronize: true, entities: [...sessionEntities] }, {}],
      ['after `migrationsRun`', { autoLoadEntities: true, migrations: MIGRATIONS, migrationsRun: true }, {}],
      [
        'with an entity of its own',
        { synchronize: true, entities: [AppSessionEntity, SessionUserEntity] },
        { entity: AppSessionEntity },
      ],
      [
        'with a naming strategy and a prefix',
        {
          synchronize: true,
          autoLoadEntities: true,
          namingStrategy: new RenamingStrategy(),
          entityPrefix: 'App_',
        },
        {},
      ],
    ])('%s', async (_, typeorm, options) => {
      const app = await boot(typeorm, options);
      await app.get(SessionService).create({ userId: 'ana' });
      expect(logs.texts('error')).toEqual([]);
    });

    it('where the tables are made before it starts to listen', async () => {
      const source = { ...database.options, autoLoadEntities: true, migrations: MIGRATIONS };
      const module = await Test.createTestingModule({
        imports: [TypeOrmModule.forRoot(source as TypeOrmModuleOptions), SessionModule.forRoot()],
      }).compile();
      const app = module.createNestApplication({ logger: false });
      running.push(app);
      await app.get<DataSource>(getDataSourceToken()).runMigrations();
      await app.init();
    });

    it('with `schemaCheck: false`, whatever is missing', async () => {
      await boot({ autoLoadEntities: true }, { schemaCheck: false });
    });

    it('with `manualInitialization`, and is told with the first connection, once', async () => {
      const app = await boot({ autoLoadEntities: true, manualInitialization: true });
      const sessions = app.get(SessionService);
      const create = () =>
        sessions.create({ userId: 'ana' }).then(
          () => 201,
          (error: { status: number }) => error.status,
        );
      const source = app.get<DataSource>(getDataSourceToken());
      await source.initialize();
      expect([await create(), await create(), await create()]).toEqual([503, 503, 503]);
      const told = logs.texts('error').filter((text) => text.includes('has no table `sessions`'));
      expect(told).toHaveLength(1);
      expect(told[0]).toContain('requests get 503');
      expect(told[0]).toContain("'nestjs-sessions/migrations'");

      await source.synchronize();
      expect(await create()).toBe(201);
    });

    it('where the database is away at boot, and is told when it is back', async () => {
      const app = await boot(
        { autoLoadEntities: true },
        { schemaCheck: false }, // only to have a data source
      );
      const source = app.get<DataSource>(getDataSourceToken());
      const { createQueryRunner } = source;
      source.createQueryRunner = () => {
        throw new Error('connect ECONNREFUSED');
      };
      const module = await Test.createTestingModule({
        imports: [
          TypeOrmModule.forRootAsync({
            useFactory: () => database.options as TypeOrmModuleOptions,
            dataSourceFactory: () => Promise.resolve(source),
          }),
          SessionModule.forRoot(),
        ],
      })
        .setLogger(logs)
        .compile();
      const second = module.createNestApplication();
      running.unshift(second);
      await second.init();
      expect(logs.texts('warn').join()).toContain('The database is not there yet');
      source.createQueryRunner = createQueryRunner;
      await expect(second.get(SessionService).create({ userId: 'ana' })).rejects.toMatchObject({
        status: 503,
      });
      expect(logs.texts('error').join()).toContain('has no table `sessions`');
    });
  });

  it('costs no query once it has passed', async () => {
    const app = await boot({ synchronize: true, autoLoadEntities: true });
    const seen: string[] = [];
    const source = app.get<DataSource>(getDataSourceToken());
    source.setOptions({ logger: { logQuery: (text: string) => seen.push(text) } as never });
    await app.get(SessionService).validate(`sid_${'x'.repeat(70)}`);
    await app.get(SessionService).list('ana');
    expect(seen.filter((text) => text.includes('1 = 0'))).toEqual([]);
  });
});
