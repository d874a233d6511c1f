import type { DataSource } from 'typeorm';
import { BatchedPurge } from '../batched-purge.js';
import type { SessionUserRow } from '../columns.js';
import type { DatabaseClock } from '../database-clock.js';
import type { Dialect } from '../dialects/dialect.js';
import { EntityTable } from '../entity-table.js';
import type { PrimaryConnection } from '../primary-connection.js';
import type { PreparedQuery } from '../query.js';
import { SessionUserEntity } from '../session.entity.js';
import type { SessionStatements } from '../session-statements.js';
import { ChangeBatches } from './change-batches.js';
import { namesOf } from './names.js';
import { SessionOrder } from './session-order.js';
import { Statements } from './statements.js';
import { UserSql } from './user-sql.js';
import type { UserWrites } from './user-writes.js';

/** How sign-ins, changes that concern them, and the purge are written: all that is made of names of tables and columns. */
export interface SessionWriting {
  readonly order: SessionOrder;
  readonly purge: BatchedPurge;
  readonly statements: Statements;
  readonly sql: UserSql;
  readonly users: UserWrites;
  readonly batches: ChangeBatches;
}

interface Parts {
  readonly dataSource: DataSource;
  readonly dialect: Dialect;
  readonly connection: PrimaryConnection;
  readonly query: PreparedQuery;
  readonly sessions: SessionStatements;
  readonly clock: DatabaseClock;
  readonly batchSize: number;
}

/** To be called once the data source knows its entities. */
export function assembleWriting(parts: Parts): SessionWriting {
  const { dataSource, dialect, connection, query, sessions, clock, batchSize } = parts;
  const names = namesOf(sessions, new EntityTable<SessionUserRow>(dataSource, SessionUserEntity));
  const statements = new Statements(connection, query, (number) => dialect.placeholder(number));
  const orderSql = dialect.orderSql(names);
  const order = new SessionOrder(statements, orderSql);
  const sql = new UserSql(names, orderSql, dialect);
  const purge = new BatchedPurge(dialect, connection, sessions, order, clock, batchSize);
  const users = dialect.userWrites(statements, sql);
  return { order, purge, statements, sql, users, batches: new ChangeBatches(users, sql) };
}
