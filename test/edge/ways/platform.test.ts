import { Body, Controller, Get, type INestApplication, Module, Post, type Type } from '@nestjs/common';
import { describe, expect, it, jest } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication, RouteSchema } from '@nestjs/platform-fastify';
import { ServeStaticModule } from '@nestjs/serve-static';
import { DevtoolsModule } from '@nestjs/devtools-integration';
import { SessionModule } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type EdgeAppOptions, edgeApps } from '../support/edge-apps.js';
import { noteRuns } from '../support/runs.js';

/* What is put beside Nest, on its platform and its server: no guard of Nest is asked there. */

const { ran, note } = noteRuns();
const start = edgeApps();

/** It takes no free one by itself; both versions of Nest may be tried at the same time. */
const DEVTOOLS_PORT = 18_347 + Number(process.env['JEST_WORKER_ID']);

@Controller()
class Routes {
  @Get('route') route(): string {
    return note('route');
  }
  @Post('route') write(@Body() _body: object): string {
    return note('write');
  }
}

/** Each platform writes wildcards in a way of its own. */
function withFiles(platform: 'express' | 'fastify'): Type {
  const renderPath = platform === 'express' ? '{*any}' : '/*';
  class WithFiles {}
  const files = ServeStaticModule.forRoot({ rootPath: import.meta.dirname, serveRoot: '/files', renderPath });
  const sessions = SessionModule.forRoot({ store: InMemorySessionStore });
  Module({ imports: [sessions, files], controllers: [Routes] })(WithFiles);
  return WithFiles;
}

const express = (configure: (app: NestExpressApplication) => unknown): EdgeAppOptions => ({
  platform: 'express',
  controllers: [Routes],
  configure: (app) => configure(app as NestExpressApplication),
});
const fastify = (configure: (app: NestFastifyApplication) => unknown): EdgeAppOptions => ({
  platform: 'fastify',
  controllers: [Routes],
  configure: (app) => configure(app as NestFastifyApplication),
});

const serverOf = (app: INestApplication) => app.getHttpServer() as Server;

it('the server of the developer tools has no guard', async () => {
  const said = jest.spyOn(console, 'log').mockReturnValue(undefined);
  const imports = [DevtoolsModule.register({ http: true, port: DEVTOOLS_PORT })];
  await start({ imports, controllers: [Routes] });
  const url = `http://127.0.0.1:${DEVTOOLS_PORT}/inspector/graph/snapshot`;
  expect((await fetch(url, { headers: { origin: 'https://devtools.nestjs.com' } })).status).toBe(200);
  // After a second it prints a token.
  while (said.mock.calls.length === 0) await pause(50);
  said.mockRestore();
});

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  it('a router that is mounted at a path has no guard', async () => {
    const router = (_: IncomingMessage, response: ServerResponse): void => {
      response.end(note('board'));
    };
    const { url } = await start({ platform, configure: (app) => app.use('/board', router) });
    expect(await (await fetch(`${url}/board/jobs`)).text()).toBe('board');
  });

  it('the files of ServeStaticModule have no guard', async () => {
    // It asks for the platform when it is loaded: before the applications of `edgeApps` have one.
    const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
    const app = await NestFactory.create(withFiles(platform), adapter, { logger: false });
    await app.listen(0, '127.0.0.1');
    expect((await fetch(`${await app.getUrl()}/files/platform.test.ts`)).status).toBe(200);
    expect((await fetch(`${await app.getUrl()}/route`)).status).toBe(401);
    await app.close();
  });

  it('a listener of requests on the server runs before the guard', async () => {
    const configure = (app: INestApplication): unknown =>
      serverOf(app).prependListener('request', () => note('listener'));
    const { url } = await start({ platform, controllers: [Routes], configure });
    expect((await fetch(`${url}/route`)).status).toBe(401);
    expect(ran).toEqual(['listener']);
  });

  it('hooks of the adapter run before the guard, and after the answer', async () => {
    const { url } = await start({
      platform,
      controllers: [Routes],
      configure: (app) => {
        const adapter = app.getHttpAdapter() as ExpressAdapter;
        adapter.setOnRequestHook(
          (_request, _response, done) => void done(void note('request hook') as never),
        );
        adapter.setOnResponseHook((...[, , done]: unknown[]) => {
          note('response hook');
          (done as (() => void) | undefined)?.();
        });
      },
    });
    expect((await fetch(`${url}/route`)).status).toBe(401);
    while (ran.length < 2) await pause(5);
    expect(ran).toEqual(['request hook', 'response hook']);
  });

  it('a listener of upgrades on the server has no guard', async () => {
    const configure = (app: INestApplication): unknown =>
      serverOf(app).on('upgrade', (_: IncomingMessage, socket: Duplex) => {
        note('upgrade');
        socket.destroy();
      });
    const { port } = await start({ platform, configure });
    await once(new WebSocket(`ws://127.0.0.1:${port}`), 'error');
    expect(ran).toEqual(['upgrade']);
  });
});

/** Sends a body to a route that is closed. */
function post(url: string, type: string): Promise<Response> {
  return fetch(`${url}/route`, { method: 'POST', headers: { 'content-type': type }, body: '{}' });
}

it('body parsers of Express, and functions in their options, run before the guard', async () => {
  const verify = (): void => void note('verify');
  const { url } = await start(express((app) => app.useBodyParser('json', { verify })));
  expect((await post(url, 'application/json')).status).toBe(401);
  expect(ran).toEqual(['verify']);
});

it('body parsers of Fastify run before the guard', async () => {
  const { url } = await start(
    fastify((app) =>
      app.useBodyParser('text/plain', {}, (_, _body, done) => {
        note('parser');
        done(null, {});
      }),
    ),
  );
  expect((await post(url, 'text/plain')).status).toBe(401);
  expect(ran).toEqual(['parser']);
});

it('hooks of Fastify run before the guard', async () => {
  const { url } = await start(
    fastify((app) =>
      app
        .getHttpAdapter()
        .getInstance()
        .addHook('onRequest', async () => void note('hook')),
    ),
  );
  expect((await fetch(`${url}/route`)).status).toBe(401);
  expect(ran).toEqual(['hook']);
});

it('routes of plugins of Fastify have no guard', async () => {
  const { url } = await start(
    fastify((app) =>
      app.register(async (instance: { get(path: string, handler: () => Promise<string>): unknown }) => {
        instance.get('/plugged', async () => note('plugged'));
      }),
    ),
  );
  expect(await (await fetch(`${url}/plugged`)).text()).toBe('plugged');
});

it('the schema of a route of Fastify is asked before the guard', async () => {
  @Controller()
  class Strict {
    @RouteSchema({ body: { type: 'object', required: ['name'] } }) @Post('strict') strict(): string {
      return note('strict');
    }
  }
  const { url } = await start({ platform: 'fastify', controllers: [Strict] });
  const send = (body: string) =>
    fetch(`${url}/strict`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  expect((await send('{}')).status).toBe(400);
  expect((await send('{"name":"ana"}')).status).toBe(401);
  expect(ran).toEqual([]);
});
