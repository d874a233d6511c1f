import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import {
  SessionGuard,
  SessionModule,
  type SessionModuleOptions,
  type SessionModuleStaticOptions,
  SessionService,
} from 'nestjs-sessions';
import { InMemorySessionStore, recordSessionEvents, signInAs, TestClock } from 'nestjs-sessions/testing';
import request from 'supertest';
import { type Platform, PLATFORMS } from '../support/platforms.js';
import { AccountController } from '../support/sign-in.js';

const started: INestApplication[] = [];
afterEach(async () => {
  for (const app of started.splice(0)) await app.close();
});

function moduleWith(options: SessionModuleOptions & SessionModuleStaticOptions = {}): TestingModuleBuilder {
  return Test.createTestingModule({
    imports: [SessionModule.forRoot({ store: InMemorySessionStore, ...options })],
    controllers: [AccountController],
  });
}

async function start(platform: Platform, builder = moduleWith()): Promise<INestApplication> {
  const module = await builder.compile();
  const app =
    platform === 'fastify'
      ? module.createNestApplication<NestFastifyApplication>(new FastifyAdapter())
      : module.createNestApplication(new ExpressAdapter());
  app.useLogger(false);
  await app.init();
  if (platform === 'fastify') await app.getHttpAdapter().getInstance().ready();
  started.push(app);
  return app;
}

describe.each(PLATFORMS)('on %s', (platform) => {
  it('a request with the bearer header is signed in', async () => {
    const app = await start(platform);
    const { session, token, bearer } = await signInAs(
      app,
      { userId: 'ana', roles: ['admin'], level: 2 },
      { label: 'Phone' },
    );
    const { body } = await request(app.getHttpServer()).get('/me').set(bearer).expect(200);
    expect(body).toMatchObject({
      id: session.id,
      userId: 'ana',
      roles: ['admin'],
      client: { label: 'Phone' },
    });
    expect(bearer).toEqual({ authorization: `Bearer ${token}` });
    await request(app.getHttpServer()).get('/level2').set(bearer).expect(200);
  });

  it.each([
    [undefined, 'sid'],
    ['bank', 'bank'],
  ])('a request with the cookie header is signed in, where the cookie is called %s', async (name, read) => {
    const app = await start(platform, moduleWith({ cookie: name === undefined ? {} : { name } }));
    const { cookie, token } = await signInAs(app, { userId: 'ana' });
    const { body } = await request(app.getHttpServer()).get('/me').set(cookie).expect(200);
    expect(body.userId).toBe('ana');
    expect(cookie).toEqual({ cookie: `${read}=${token}` });
  });

  it('in production the cookie is the one that is read then', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      const app = await start(platform, moduleWith({ requireHttps: false }));
      const { cookie } = await signInAs(app, { userId: 'ana' });
      expect(cookie.cookie).toMatch(/^__Host-sid=/);
      await request(app.getHttpServer()).get('/me').set(cookie).expect(200);
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });

  it('roles are those of the principal', async () => {
    const app = await start(platform);
    const { bearer } = await signInAs(app, { userId: 'ana', roles: ['customer'] });
    await request(app.getHttpServer()).get('/admin').set(bearer).expect(403);
  });

  it('the clock makes a session expire', async () => {
    const clock = new TestClock();
    const app = await start(platform, moduleWith({ clock: clock.now }));
    const { bearer } = await signInAs(app, { userId: 'ana' });
    clock.advance('29m');
    await request(app.getHttpServer()).get('/me').set(bearer).expect(200);
    clock.advance('31m');
    const { body } = await request(app.getHttpServer()).get('/me').set(bearer).expect(401);
    expect(body.code).toBe('session_expired');
  });

  it('events are recorded', async () => {
    const app = await start(platform);
    const recorder = recordSessionEvents(app);
    const created = recorder.next('created');
    const { session, bearer } = await signInAs(app, { userId: 'ana' });
    expect(await created).toMatchObject({ sessionId: session.id, userId: 'ana' });
    await request(app.getHttpServer()).post('/logout').set(bearer).expect(200);
    expect(recorder.of('revoked')).toMatchObject([{ sessionId: session.id, reason: 'sign-out' }]);
    expect(recorder.events.map(({ type }) => type)).toEqual(['created', 'revoked']);
  });

  it('the guard can be replaced, before decorated handlers too', async () => {
    let answer = true;
    const replaced = moduleWith()
      .overrideProvider(SessionGuard)
      .useValue({ canActivate: () => answer });
    const app = await start(platform, replaced);
    await request(app.getHttpServer()).get('/me').expect(200);
    await request(app.getHttpServer()).get('/admin').expect(200);
    answer = false;
    await request(app.getHttpServer()).get('/open').expect(403);
  });

  it('where there is no global guard, that of the decorators is replaced', async () => {
    const replaced = moduleWith({ globalGuard: false })
      .overrideProvider(SessionGuard)
      .useValue({ canActivate: () => true });
    const app = await start(platform, replaced);
    await request(app.getHttpServer()).get('/admin').expect(200);
  });
});

it('a request by `inject` is signed in', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['test/testing/inject.mjs']);
  expect(stdout.trim().split('\n')).toEqual(['200', '200', '401']);
});

it('a testing module without an application will do', async () => {
  const module = await moduleWith().compile();
  const recorder = recordSessionEvents(module);
  const { session, token } = await signInAs(module, { userId: 'ana' });
  expect(await module.get(SessionService).validate(token)).toMatchObject({ session: { id: session.id } });
  expect(recorder.of('created')).toHaveLength(1);
});

describe('a recording', () => {
  it('waits for the next event of a type, and no earlier one', async () => {
    const module = await moduleWith().compile();
    const recorder = recordSessionEvents(module);
    await signInAs(module, { userId: 'ana' });
    const next = recorder.next('created');
    await module.get(SessionService).revokeAll('ana');
    await signInAs(module, { userId: 'ben' });
    await signInAs(module, { userId: 'cleo' });
    expect(await next).toMatchObject({ userId: 'ben' });
  });

  it('is told of nothing once it is stopped, and nobody waits any longer', async () => {
    const module = await moduleWith().compile();
    const recorder = recordSessionEvents(module);
    const next = recorder.next('revoked');
    recorder.stop();
    await signInAs(module, { userId: 'ana' });
    expect(recorder.events).toEqual([]);
    await expect(next).rejects.toThrow('The recording stopped before there was an event `revoked`.');
    await expect(recorder.next('created')).rejects.toThrow('stopped');
  });
});
