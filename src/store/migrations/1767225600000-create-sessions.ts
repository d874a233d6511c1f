import { type MigrationInterface, type QueryRunner, Table, TableIndex } from 'typeorm';
import { type Column, MESSAGE_COLUMNS, NODE_COLUMNS, STORED_COLUMNS, USER_COLUMNS } from '../columns.js';

/** The tables beside that of the sessions, by their entities. */
const OTHERS: readonly (readonly [entity: string, table: string, columns: readonly Column[]])[] = [
  ['SessionUserEntity', 'session_users', USER_COLUMNS],
  ['SessionNodeEntity', 'session_nodes', NODE_COLUMNS],
  ['SessionMessageEntity', 'session_messages', MESSAGE_COLUMNS],
];

/**
 * Creates the table `sessions` and those beside it. Extend it to give that one another name. Columns that come with a
 * later version belong in a migration of their own, and must be left out here: applications have run this one.
 */
export class CreateSessions1767225600000 implements MigrationInterface {
  protected readonly sessionTable: string = 'sessions';

  async up(runner: QueryRunner): Promise<void> {
    const sessions = nameOf(runner, 'SessionEntity', this.sessionTable);
    await create(runner, sessions, STORED_COLUMNS);
    if (runner.connection.options.type === 'postgres') await leaveRoom(runner, sessions);
    for (const [entity, table, columns] of OTHERS)
      await create(runner, nameOf(runner, entity, table), columns);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [entity, table] of OTHERS.toReversed()) await runner.dropTable(nameOf(runner, entity, table));
    await runner.dropTable(nameOf(runner, 'SessionEntity', this.sessionTable));
  }
}

/** For activity: a row whose new version fits into its page needs no new entries in the indexes. */
async function leaveRoom(runner: QueryRunner, table: string): Promise<void> {
  const { driver } = runner.connection;
  const { schema, tableName } = driver.parseTableName(table);
  const name = [schema, tableName].flatMap((part) => (part ? [driver.escape(part)] : []));
  await runner.query(`ALTER TABLE ${name.join('.')} SET (fillfactor = 85)`);
}

/** As TypeORM names the entity's table: by the application's naming strategy and prefix, in the schema that is given. */
function nameOf({ connection }: QueryRunner, entity: string, given: string): string {
  const { namingStrategy, options } = connection;
  const [table = given, ...schema] = given.split('.').toReversed();
  const name = namingStrategy.tableName(entity, table);
  const prefixed = options.entityPrefix ? namingStrategy.prefixTableName(options.entityPrefix, name) : name;
  return [prefixed, ...schema].toReversed().join('.');
}

/** Columns and indexes get the names that the naming strategy gives those of the entity: no difference remains. */
async function create(runner: QueryRunner, table: string, columns: readonly Column[]): Promise<void> {
  const { namingStrategy } = runner.connection;
  const named = columns.map((column) => ({
    ...column,
    name: namingStrategy.columnName(column.field, column.name, []),
  }));
  const ids = named.filter(({ field }) => field === 'id').map(({ name }) => name);
  const indices = named
    .filter(({ index }) => index !== undefined && index !== 'primary')
    .map(({ name, index }) => {
      const columnNames = index === 'by-id' ? [name, ...ids] : [name];
      return new TableIndex({
        name: namingStrategy.indexName(unqualified(table), columnNames),
        columnNames,
        isUnique: index === 'unique',
      });
    });
  await runner.createTable(
    new Table({
      name: table,
      columns: named.map(({ name, type, length, nullable, index }) => ({
        name,
        type,
        ...(length !== undefined && { length: String(length) }),
        isNullable: nullable ?? false,
        isPrimary: index === 'primary',
      })),
      indices,
    }),
  );
}

function unqualified(table: string): string {
  return table.split('.').at(-1) ?? table;
}
