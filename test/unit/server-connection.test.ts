import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { StoreUnavailableError } from '../../src/core/model/errors.js';
import { Deadline } from '../../src/core/outage/deadline.js';
import {
  CANCEL_PATIENCE,
  STORE_PATIENCE,
  TOUCH_PATIENCE,
  WORK_PATIENCE,
} from '../../src/core/outage/time-budgets.js';
import type { ServerDialect } from '../../src/store/dialects/dialect.js';
import { PurgeSchedule } from '../../src/store/purge-schedule.js';
import type { PreparedQuery } from '../../src/store/query.js';
import { ServerConnection } from '../../src/store/server-connection.js';
import type { SessionStatements } from '../../src/store/session-statements.js';
import type { NotedTouch } from '../../src/store/touch-buffer.js';
import { TouchWriter } from '../../src/store/touch-writer.js';
import { Statements } from '../../src/store/writes/statements.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);
const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
const never = () => new Promise<never>(() => {});

interface Server {
  /** All that happens, in its order. */
  readonly log: string[];
  readonly connection: ServerConnection;
  /** How long each connection has to be waited for. */
  wait: number;
  /** How a statement ends that was cancelled, or whose connection was ended. */
  failure: Promise<never>;
}

function serverOf(): Server {
  const log: string[] = [];
  let fail!: (error: Error) => void;
  const failure = new Promise<never>((_, reject) => (fail = reject));
  failure.catch(() => {});
  const note = (what: string) => async () => void log.push(what);
  const runner = {
    connect: async () => {
      if (server.wait > 0) await sleep(server.wait);
      return runner;
    },
    startTransaction: note('begin'),
    commitTransaction: note('commit'),
    rollbackTransaction: note('rollback'),
    release: note('release'),
  };
  const dialect = {
    vet: null,
    retryable: new Set(['deadlock']),
    limitLockWait: async () => async () => {},
    cancel: note('cancel'),
    endConnection: () => {
      log.push('end');
      fail(new Error('Connection terminated'));
    },
    discard: note('discard'),
  };
  const dataSource = { createQueryRunner: () => runner } as unknown as DataSource;
  const connection = new ServerConnection(dataSource, dialect as unknown as ServerDialect);
  const server: Server = { log, connection, wait: 0, failure };
  return server;
}

/** Calls with a deadline, as the watched store does. */
async function call<T>(work: (deadline: Deadline) => Promise<T>) {
  const deadline = Deadline.ofCall();
  const [outcome] = await Promise.allSettled([work(deadline)]);
  return { outcome, isOutcomeUnknown: deadline.isOutcomeUnknown };
}

const tooLate = { outcome: { status: 'rejected', reason: expect.any(StoreUnavailableError) } };

it('begins nothing on a connection that comes too late', async () => {
  const server = serverOf();
  server.wait = WORK_PATIENCE;
  const { connection, log } = server;
  const work = jest.fn(async () => {});
  const calls = (['write', 'transaction', 'briefly'] as const).map((verb) =>
    call((deadline) => connection[verb](work, deadline)),
  );
  await pass(WORK_PATIENCE);
  for (const each of calls) expect(await each).toMatchObject({ ...tooLate, isOutcomeUnknown: false });
  expect(work).not.toHaveBeenCalled();
  expect(log).toEqual(['release', 'release', 'release']);
});

it.each(['transaction', 'briefly'] as const)(
  'commits nothing too late (%s), and rolls it back',
  async (verb) => {
    const { connection, log } = serverOf();
    const called = call((deadline) => connection[verb](() => sleep(WORK_PATIENCE), deadline));
    await pass(WORK_PATIENCE);
    expect(await called).toMatchObject({ ...tooLate, isOutcomeUnknown: false });
    expect(log).toEqual(['begin', 'cancel', 'rollback', 'discard', 'release']);
  },
);

it('sends no second statement of a transaction too late', async () => {
  const { connection } = serverOf();
  const sent: string[] = [];
  const query: PreparedQuery = async (_, sql) => {
    sent.push(sql);
    await sleep(WORK_PATIENCE);
    return { rows: [], affected: 1, insertId: 0 };
  };
  const statements = new Statements(connection, query, () => '?');
  const called = call((deadline) =>
    statements.until(deadline).together('briefly', async (run) => {
      await run('one');
      await run('two');
    }),
  );
  await pass(3 * WORK_PATIENCE);
  expect(await called).toMatchObject({ ...tooLate, isOutcomeUnknown: false });
  expect(sent).toEqual(['one']);
});

it('writes no activity that is not worth it any more once there is a connection', async () => {
  const server = serverOf();
  server.wait = TOUCH_PATIENCE;
  const touch = jest.fn(async () => []);
  const writer = new TouchWriter(
    server.connection,
    { touch } as unknown as SessionStatements,
    new PurgeSchedule(),
    true,
  );
  const warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  const activity = { id: 'a', expendableAt: performance.now() + TOUCH_PATIENCE } as NotedTouch;
  const written = writer.write([activity], () => {});
  await pass(TOUCH_PATIENCE);
  await written;
  expect(touch).not.toHaveBeenCalled();
  expect(warnings).toHaveBeenCalledTimes(1);
  warnings.mockRestore();
});

it('tries nothing again too late', async () => {
  const { connection } = serverOf();
  let attempts = 0;
  const called = call((deadline) =>
    connection.write(async () => {
      attempts++;
      await sleep(WORK_PATIENCE);
      throw Object.assign(new Error('a victim'), { code: 'deadlock' });
    }, deadline),
  );
  await pass(2 * WORK_PATIENCE);
  expect(await called).toMatchObject({ ...tooLate, isOutcomeUnknown: false });
  expect(attempts).toBe(1);
});

it('cancels what still runs while its caller still waits, and hears what became of it', async () => {
  const { connection, log } = serverOf();
  const called = call((deadline) =>
    connection.write(async () => {
      await sleep(WORK_PATIENCE + 1);
      throw Object.assign(new Error('canceling statement due to user request'), { code: '57014' });
    }, deadline),
  );
  await pass(WORK_PATIENCE + 1);
  expect(WORK_PATIENCE + 1).toBeLessThan(STORE_PATIENCE);
  expect(await called).toMatchObject({ outcome: { status: 'rejected' }, isOutcomeUnknown: false });
  // Nobody else gets a connection that a cancellation is on its way to.
  expect(log).toEqual(['cancel', 'discard', 'release']);
});

it('ends a connection that does not even answer to that, and does not know what became of its statement', async () => {
  const server = serverOf();
  const called = call((deadline) => server.connection.write(() => server.failure, deadline));
  await pass(WORK_PATIENCE + CANCEL_PATIENCE - 1);
  expect(server.log).toEqual(['cancel']);
  await pass(1);
  expect(await called).toMatchObject({ outcome: { status: 'rejected' }, isOutcomeUnknown: true });
  expect(server.log.slice(0, 2)).toEqual(['cancel', 'end']);
});

it('does not know what became of a statement that has not been answered yet', async () => {
  const { connection } = serverOf();
  const deadline = Deadline.ofCall();
  void connection.write(never, deadline);
  await pass(STORE_PATIENCE);
  expect(deadline.isOutcomeUnknown).toBe(true);
});

it('gives a read its own time, whoever calls', async () => {
  const server = serverOf();
  const late = Deadline.after(0);
  const read = late.run(() => server.connection.read(async () => 'answer'));
  await pass(1);
  expect(await read).toBe('answer');
  server.wait = STORE_PATIENCE;
  const work = jest.fn(async () => {});
  const forNobody = expect(server.connection.read(work)).rejects.toThrow(StoreUnavailableError);
  await pass(STORE_PATIENCE);
  await forNobody;
  expect(work).not.toHaveBeenCalled();
});

it('takes as long as it needs where nobody waits', async () => {
  const server = serverOf();
  server.wait = 10 * STORE_PATIENCE;
  const written = server.connection.write(async () => 'done', Deadline.none());
  await pass(10 * STORE_PATIENCE);
  expect(await written).toBe('done');
});
