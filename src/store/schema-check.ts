import type { DataSource, EntityTarget, ObjectLiteral, QueryRunner } from 'typeorm';
import { SessionSchemaError } from '../core/model/errors.js';
import { EntityTable } from './entity-table.js';
import * as migrations from './migrations/index.js';

const MIGRATIONS = Object.keys(migrations).join(', ');
const HOW_TO_MIGRATE =
  `Run the migrations that 'nestjs-sessions/migrations' exports (${MIGRATIONS}) on this data source, or let ` +
  '`synchronize: true` do it in development. docs/migrations.md says how.';

/**
 * Whether the data source knows the entities, and the database has their tables and columns. Without that the
 * application would start, and no request with a session would ever succeed.
 *
 * It is made with the first connection, whenever that comes: at boot, or later where the database is away until then.
 */
export class SchemaCheck {
  /** Whether it need not be made any more. */
  hasPassed = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly entities: readonly EntityTarget<ObjectLiteral>[],
  ) {}

  /** @throws SessionSchemaError, or whatever the driver throws where the database does not answer */
  async make(runner: QueryRunner): Promise<void> {
    this.lookForEntities();
    for (const entity of this.entities) await this.lookForTable(runner, entity);
    this.hasPassed = true;
  }

  private lookForEntities(): void {
    const { dataSource } = this;
    // Before that it knows no entities.
    if (!dataSource.isInitialized)
      throw new Error('The data source is not initialized: call `initialize()`.');
    const unknown = this.entities.filter((entity) => !dataSource.hasMetadata(entity));
    if (unknown.length === 0) return;
    const names = unknown.map((entity) => (typeof entity === 'function' ? entity.name : String(entity)));
    throw new SessionSchemaError(
      `The data source of the sessions does not know ${names.join(' and ')}. Set \`autoLoadEntities: true\` in ` +
        "`TypeOrmModule.forRoot`, or add `...sessionEntities` of 'nestjs-sessions' to its `entities` (with the option " +
        '`entity`, your own class in the place of `SessionEntity`).',
    );
  }

  private async lookForTable(runner: QueryRunner, entity: EntityTarget<ObjectLiteral>): Promise<void> {
    try {
      await this.select(runner, entity);
    } catch {
      // Answers at all only where the database is there.
      const missing = await this.missingOf(runner, entity);
      if (missing !== null) throw new SessionSchemaError(`${missing} ${HOW_TO_MIGRATE}`);
      // Everything is there: either the first error has passed, or the second one says what is wrong.
      await this.select(runner, entity);
    }
  }

  /** Every column is qualified: SQLite takes `"name"` alone for a text where there is no such column. */
  private async select(runner: QueryRunner, entity: EntityTarget<ObjectLiteral>): Promise<void> {
    const columns = this.columnsOf(entity).map((name) => `s.${this.dataSource.driver.escape(name)}`);
    const { name } = new EntityTable(this.dataSource, entity);
    await runner.query(`SELECT ${columns.join(', ')} FROM ${name} s WHERE 1 = 0`);
  }

  private async missingOf(runner: QueryRunner, entity: EntityTarget<ObjectLiteral>): Promise<string | null> {
    const { tablePath } = this.dataSource.getMetadata(entity);
    if (!(await runner.hasTable(tablePath))) return `The database has no table \`${tablePath}\`.`;
    const missing: string[] = [];
    for (const column of this.columnsOf(entity)) {
      if (!(await runner.hasColumn(tablePath, column))) missing.push(`\`${column}\``);
    }
    return missing.length === 0 ? null : `The table \`${tablePath}\` has no column ${missing.join(', ')}.`;
  }

  /** Those that the application has added too. */
  private columnsOf(entity: EntityTarget<ObjectLiteral>): string[] {
    return this.dataSource
      .getMetadata(entity)
      .columns.filter(({ isVirtualProperty }) => !isVirtualProperty)
      .map(({ databaseName }) => databaseName);
  }
}
