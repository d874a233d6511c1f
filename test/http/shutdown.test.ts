import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { TestClock } from 'nestjs-sessions/testing';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { PLATFORMS, startApp } from '../support/platforms.js';
import { AccountController, bearer } from '../support/sign-in.js';
import { SQLITE_DRIVER } from '../support/sqlite-driver.js';

describe.each(PLATFORMS)('on %s', (platform) => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-sessions-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('writes noted activity before it stops, and knows the session when it is back', async () => {
    const database = join(folder, 'app.sqlite');
    const clock = new TestClock();
    const start = () =>
      startApp(platform, { controllers: [AccountController], options: { clock: clock.now }, database });
    const me = (app: INestApplication, token: string) =>
      request(app.getHttpServer()).get('/me').set(bearer(token));

    const app = await start();
    const { body } = await request(app.getHttpServer()).post('/login').send({ userId: 'ana' });
    clock.advance('10m');
    await me(app, body.token).expect(200);
    await app.close();

    const dataSource = await new DataSource({ type: SQLITE_DRIVER, database }).initialize();
    const [row] = await dataSource.query('SELECT last_seen_at FROM sessions');
    await dataSource.destroy();
    expect(Number(row.last_seen_at)).toBe(clock.now());

    clock.advance('25m');
    const again = await start();
    await me(again, body.token).expect(200);
    await again.close();
  });
});
