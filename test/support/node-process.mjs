// One node of an application in a process of its own: it does what its parent tells it, with the built library.
import './skewed-clock.mjs';
import { setTimeout as wait } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { resolveOptions } from '../../dist/core/options/resolve-options.js';
import { SessionCore } from '../../dist/core/session-core.js';
import { SessionService } from '../../dist/session.service.js';
import { SessionEntity, sessionEntities } from '../../dist/store/session.entity.js';
import { TypeOrmSessionStore } from '../../dist/store/typeorm-session.store.js';
import { runLane } from './busy-lane.mjs';

const { database, options, skew } = JSON.parse(process.argv[2]);
const dataSource = await new DataSource({ ...database, entities: [...sessionEntities] }).initialize();
let ahead = 0;
// A clock of its own is not set right.
const clock = skew === undefined ? { clock: () => Date.now() + ahead } : {};
const resolved = resolveOptions({ ...options, ...clock });
const store = new TypeOrmSessionStore(dataSource, {
  entity: SessionEntity,
  purgeBatchSize: resolved.purge?.batchSize ?? null,
});
const core = new SessionCore(resolved, store, {
  onOutage: (cause) => process.stderr.write(`${cause}\n`),
  onRecovery: () => {},
  onSubscriberError: () => {},
});
await core.clock.adjust();
const service = new SessionService(core);
const events = [];
service.events.subscribe(({ type, sessionId }) => events.push({ type, sessionId }));

const commands = {
  advance: (milliseconds) => {
    ahead += milliseconds;
  },
  events: () => events.splice(0),
  /** What the guard does with the token of a request. */
  present: async (token) => {
    const verdict = await core.validation.validate(token);
    if (verdict.reason !== undefined) return { reason: verdict.reason, renewed: null };
    return {
      reason: null,
      renewed: verdict.isRenewalDue ? await core.rotation.renew(verdict) : null,
    };
  },
  /** A sign-in that looks at credentials for so long. */
  signIn: async (userId, milliseconds) => {
    const begun = await service.beginSignIn();
    await wait(milliseconds);
    const { session, token } = await service.create({ userId, roles: ['old'] }, {}, { begun });
    return { session, token, begun: begun.latestChange };
  },
  flush: () => store.flush(),
  /** Adds one to `n` in a session's data, so many times at once. @returns with how many statements */
  count: async (id, times) => {
    let statements = 0;
    const { logger } = dataSource;
    const logQuery = logger.logQuery;
    logger.logQuery = () => void statements++;
    const add = (data) => ({ ...data, n: (data.n ?? 0) + 1 });
    await Promise.all(Array.from({ length: times }, () => service.update(id, add)));
    logger.logQuery = logQuery;
    return statements;
  },
  /** Begins streams of verbs that go on until the process is killed; beside them, sign-ins of one user by all. */
  busy: (lanes, crowd) => {
    for (const lane of lanes) void runLane(lane, { service, present: commands.present }, tell);
    void (async () => {
      for (;;) {
        await service.create({ userId: crowd }).catch(() => {});
        await wait(5);
      }
    })();
  },
};

/** On its way when this returns: it arrives though the process is killed. */
const tell = (note) => new Promise((resolve) => process.send({ id: 'note', note }, resolve));

process.on('message', async ({ id, command, args }) => {
  try {
    const run = commands[command] ?? service[command].bind(service);
    process.send({ id, result: (await run(...args)) ?? null });
  } catch (error) {
    process.send({
      id,
      error: { message: error.message, code: error.code ?? null, status: error.status ?? null },
    });
  }
});
process.send({ id: 'ready' });
