import type { INestApplication } from '@nestjs/common';
import type { AddressInfo, Server } from 'node:net';
import { DataSource } from 'typeorm';
import { OwnScene } from '../application/scene.js';
import type { Header } from '../contestants/contestant.js';
import { start } from '../contestants/ours.js';
import { type SessionModuleOptions, SessionService } from '../library.js';

/** An application with our sessions on PostgreSQL, in this very process. */
export interface OurApplication {
  readonly app: INestApplication;
  readonly sessions: SessionService;
  readonly dataSource: DataSource;
  readonly origin: string;
  readonly url: string;
  /** The live sessions. */
  readonly headers: readonly Header[];
  readonly tokens: readonly string[];
}

/** Runs a job with a fresh application, and removes everything afterwards. */
export async function withOurs<T>(
  size: {
    live: number;
    sessions?: number;
    options?: SessionModuleOptions;
    /** How the application's connections get to the database. */
    way?: (url: string) => Promise<string>;
  },
  job: (ours: OurApplication) => Promise<T>,
): Promise<T> {
  const scene = new OwnScene('fastify', size.sessions ?? size.live, size.live);
  try {
    const url = await scene.postgres();
    const { app, credentials } = await start(
      scene,
      { type: 'postgres', url: (await size.way?.(url)) ?? url },
      { purge: false, ...size.options },
    );
    try {
      await app.listen(0, '127.0.0.1');
      const headers = await credentials();
      return await job({
        app,
        sessions: app.get(SessionService),
        dataSource: app.get(DataSource),
        origin: `http://127.0.0.1:${((app.getHttpServer() as Server).address() as AddressInfo).port}`,
        url,
        headers,
        tokens: headers.map(([, value]) => value.slice('Bearer '.length)),
      });
    } finally {
      await app.close();
    }
  } finally {
    await scene.clear();
  }
}
