import { Logger } from '@nestjs/common';
import type { ClusterDatabase } from '../core/model/cluster-database.js';
import { SessionOptionsError } from '../core/model/errors.js';
import type { SessionBus } from '../core/model/session-bus.js';
import { NEAR_CACHE_PROMISE } from '../core/options/policy-document.js';
import type { ResolvedBus } from '../core/options/resolve-cluster.js';
import type { ResolvedSessionOptions } from '../core/options/resolve-options.js';
import { NEAR_CACHE_AGE } from '../core/outage/time-budgets.js';
import { PostgresBus } from './buses/postgres-bus.js';
import { TableBus } from './buses/table-bus.js';
import { ClusterNode, type NodeReporter } from './cluster-node.js';
import { MACHINE_TIME } from './node-time.js';

/** The node that the option `cluster` asks for. @throws SessionOptionsError for a bus that this database has not */
export function nodeOf(
  { bus, cache, directUrl }: NonNullable<ResolvedSessionOptions['cluster']>,
  database: ClusterDatabase,
): ClusterNode {
  return new ClusterNode({
    registry: database.registry,
    bus: busOf(bus, directUrl, database),
    maxBytes: cache?.maxBytes ?? null,
    time: MACHINE_TIME,
    reporter: reporter(),
  });
}

function busOf(bus: ResolvedBus, directUrl: string | null, database: ClusterDatabase): SessionBus | null {
  if (bus === 'table') return new TableBus(database.messages);
  if (bus !== 'postgres') return bus;
  const { listen } = database;
  if (listen !== null) return new PostgresBus(() => listen(directUrl));
  const fix = "the data source is another database: use redisBus(…), or 'table', which is slower.";
  throw new SessionOptionsError('cluster.bus', bus, fix);
}

function reporter(): NodeReporter {
  const logger = new Logger('SessionCluster');
  return {
    onJoined: () =>
      logger.log(
        `The near cache is on. ${NEAR_CACHE_PROMISE} What is kept is at most ${NEAR_CACHE_AGE / 1_000} s old. ` +
          'Every process that calls verbs of SessionService needs the option `cluster`.',
      ),
    onLeft: (cause) =>
      logger.warn(`The near cache is off for now, and each request asks the database. ${String(cause)}`),
  };
}
