import type { DataSource } from 'typeorm';
import type { ClusterDatabase, TableMessage } from '../../core/model/cluster-database.js';
import { SessionOptionsError } from '../../core/model/errors.js';
import type { SessionNodeRow } from '../columns.js';
import { dialectOf } from '../dialects/dialect-of.js';
import { listenOnPostgres } from '../dialects/postgres-connection.js';
import { EntityTable } from '../entity-table.js';
import { ServerConnection } from '../server-connection.js';
import { SessionMessageEntity, SessionNodeEntity } from '../session.entity.js';
import { SessionMessages } from './messages-table.js';
import { NodeTable } from './node-table.js';
import { OwnConnection } from './own-connection.js';

/** What the option `cluster` needs of this database. @throws SessionOptionsError where it has it not */
export function clusterDatabaseOn(dataSource: DataSource): ClusterDatabase {
  const dialect = dialectOf(dataSource);
  const { server } = dialect;
  if (server === null) {
    const fix =
      'SQLite is for one process, which needs none: leave it out, or use PostgreSQL, MySQL or MariaDB.';
    throw new SessionOptionsError('cluster', {}, fix);
  }
  const nodes = new EntityTable<SessionNodeRow>(dataSource, SessionNodeEntity);
  const messages = new EntityTable<TableMessage>(dataSource, SessionMessageEntity);
  const own = () => new OwnConnection(dataSource, server);
  const isPostgres = dataSource.options.type === 'postgres';
  return {
    registry: new NodeTable(nodes, dialect, server, new ServerConnection(dataSource, server), own()),
    messages: new SessionMessages(messages, dialect, own()),
    listen: isPostgres ? (directUrl) => listenOnPostgres(dataSource, directUrl) : null,
  };
}
