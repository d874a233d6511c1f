import type { INestApplication } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { getDataSourceToken } from '@nestjs/typeorm';
import { type SessionEvent, SessionService } from 'nestjs-sessions';
import { recordSessionEvents } from 'nestjs-sessions/testing';
import request from 'supertest';
import type { DataSource } from 'typeorm';
import { type Platform, startApp, type TestAppOptions } from './platforms.js';
import { LogRecorder, QueryRecorder } from './recorders.js';

/** A running application, and what tests look at. */
export interface TestApp {
  readonly app: INestApplication;
  readonly http: ReturnType<typeof request>;
  readonly sessions: SessionService;
  readonly dataSource: DataSource;
  readonly logs: LogRecorder;
  /** Statements since the application started. */
  readonly queries: string[];
  readonly events: SessionEvent[];
}

/** Starts applications on a platform, and closes them after each test. */
export function appsOn(platform: Platform): (options?: TestAppOptions) => Promise<TestApp> {
  const running: TestApp[] = [];
  afterEach(async () => {
    for (const { app } of running.splice(0)) await app.close();
  });
  return async (options) => {
    const started = await startTestApp(platform, options);
    running.push(started);
    return started;
  };
}

/** One application for all tests of a block, without sessions at the start of each. */
export function sharedAppOn(platform: Platform, options?: TestAppOptions): () => TestApp {
  let shared: TestApp;
  beforeAll(async () => {
    shared = await startTestApp(platform, options);
  });
  beforeEach(async () => {
    await shared.dataSource.query('DELETE FROM sessions');
    for (const seen of [shared.queries, shared.events, shared.logs.lines]) seen.length = 0;
  });
  afterAll(() => shared.app.close());
  return () => shared;
}

async function startTestApp(platform: Platform, options: TestAppOptions = {}): Promise<TestApp> {
  const [logs, recorder] = [new LogRecorder(), new QueryRecorder()];
  const typeorm = { logging: ['query' as const], logger: recorder };
  const app = await startApp(platform, { logger: logs, typeorm, ...options });
  const sessions = app.get(SessionService, { strict: false });
  // Tests empty it.
  const events = recordSessionEvents(app).events as SessionEvent[];
  recorder.queries.length = 0;
  return {
    app,
    http: request(app.getHttpServer()),
    sessions,
    dataSource: app.get<DataSource>(getDataSourceToken(), { strict: false }),
    logs,
    queries: recorder.queries,
    events,
  };
}

/** As if the database had gone; what is returned brings it back. */
export function breakStore({ dataSource }: TestApp): () => void {
  const { createQueryRunner } = dataSource;
  dataSource.createQueryRunner = () => {
    throw new Error('connect ECONNREFUSED');
  };
  return () => {
    dataSource.createQueryRunner = createQueryRunner;
  };
}

/** How many rows there are. */
export async function countRows({ dataSource }: TestApp): Promise<number> {
  const [row] = (await dataSource.query('SELECT COUNT(*) AS count FROM sessions')) as [{ count: number }];
  return row.count;
}
