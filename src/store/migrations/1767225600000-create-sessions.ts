import {
  type MigrationInterface,
  type QueryRunner,
  Table,
  type TableColumnOptions,
  TableIndex,
} from 'typeorm';

const varchar = (name: string, length: number, isNullable = false): TableColumnOptions => ({
  name,
  type: 'varchar',
  length: String(length),
  isNullable,
});
const time = (name: string, isNullable = false): TableColumnOptions => ({ name, type: 'bigint', isNullable });

const SESSION_COLUMNS: readonly TableColumnOptions[] = [
  { ...varchar('id', 36), isPrimary: true },
  varchar('series_hash', 64),
  varchar('token_hash', 64),
  time('confirmed_at', true),
  time('rotated_at'),
  varchar('previous_hash', 64, true),
  varchar('previous_kind', 8, true),
  varchar('successor', 255, true),
  varchar('user_id', 255, true),
  { name: 'roles', type: 'text' },
  { name: 'level', type: 'smallint' },
  time('created_at'),
  time('authenticated_at'),
  time('last_seen_at'),
  time('idle_expires_at'),
  time('absolute_expires_at'),
  time('renew_at'),
  time('expires_at'),
  varchar('ip', 45, true),
  varchar('user_agent', 255, true),
  varchar('label', 100, true),
  { name: 'data', type: 'text' },
  { name: 'data_version', type: 'integer' },
];

const USER_COLUMNS: readonly TableColumnOptions[] = [
  { ...varchar('user_hash', 64), isPrimary: true },
  time('changed_at'),
];

/** Creates the tables `sessions` and `session_users`. Extend it to give the first another name. */
export class CreateSessions1767225600000 implements MigrationInterface {
  protected readonly sessionTable: string = 'sessions';

  async up(runner: QueryRunner): Promise<void> {
    await create(runner, this.sessionTable, SESSION_COLUMNS, [
      ['series_hash', true],
      ['user_id'],
      ['expires_at'],
    ]);
    await create(runner, 'session_users', USER_COLUMNS, [['changed_at']]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('session_users');
    await runner.dropTable(this.sessionTable);
  }
}

/** Indexes get the names that the application's naming strategy gives those of the entity: no diff remains. */
async function create(
  runner: QueryRunner,
  name: string,
  columns: readonly TableColumnOptions[],
  indexes: readonly (readonly [column: string, isUnique?: boolean])[],
): Promise<void> {
  const { namingStrategy } = runner.connection;
  const indices = indexes.map(
    ([column, isUnique = false]) =>
      new TableIndex({ name: namingStrategy.indexName(name, [column]), columnNames: [column], isUnique }),
  );
  await runner.createTable(new Table({ name, columns: [...columns], indices }));
}
