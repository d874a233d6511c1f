import {
  type ArgumentsHost,
  Body,
  type CallHandler,
  Catch,
  Controller,
  createParamDecorator,
  Delete,
  type ExecutionContext,
  Get,
  Head,
  Injectable,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  Next,
  Patch,
  Post,
  Put,
  Query as Parameter,
  Redirect,
  Sse,
  UseInterceptors,
  ValidationPipe,
  VersioningType,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { APP_FILTER } from '@nestjs/core';
import { FileInterceptor, type NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Validate, ValidatorConstraint } from 'class-validator';
import { Public } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { of } from 'rxjs';
import type { Readable } from 'node:stream';
import { type EdgeAppOptions, edgeApps } from '../support/edge-apps.js';
import { noteRuns } from '../support/runs.js';

/* What a request comes to, without a session and without any decorator of ours. */

const { ran, note } = noteRuns();
const start = edgeApps();

@Controller()
class Routes {
  @Get('route') route(): string {
    return note('route');
  }
  @Post('verb') post(): string {
    return note('post');
  }
  @Put('verb') put(): string {
    return note('put');
  }
  @Patch('verb') patch(): string {
    return note('patch');
  }
  @Delete('verb') delete(): string {
    return note('delete');
  }
  @Head('head') head(): void {
    note('head');
  }
  @Redirect('https://example.com') @Get('redirect') redirect(): void {
    note('redirect');
  }
  @Post('write') write(): void {
    note('write');
  }
  @Sse('stream') stream(): object {
    return of({ data: note('stream') });
  }
}

@Injectable()
class Audit {
  use(_request: unknown, _response: unknown, next: () => void): void {
    note('middleware');
    next();
  }
}

@Module({ controllers: [Routes] })
class WithMiddleware {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(Audit).forRoutes('*path');
  }
}

@Catch()
class Filter {
  catch(_error: unknown, host: ArgumentsHost): void {
    note('filter');
    host.switchToHttp().getResponse<{ status(code: number): { send(): void } }>().status(401).send();
  }
}

@Injectable()
class Interceptor {
  intercept(_: ExecutionContext, next: CallHandler): unknown {
    note('interceptor');
    return next.handle();
  }
}

@Injectable()
class Pipe {
  transform(value: unknown): unknown {
    note('pipe');
    return value;
  }
}

const Agent = createParamDecorator(() => note('parameter decorator'));

@Controller()
class Decorated {
  @UseInterceptors(Interceptor) @Get('decorated') decorated(
    @Parameter('page', Pipe) page: string,
    @Agent() agent: string,
  ): string {
    return note(`decorated ${page} for ${agent}`);
  }
}

@Controller()
class Passing {
  @Public() @Get('passed') first(@Next() next: () => void): void {
    note('first');
    next();
  }
  @Get('passed') second(): string {
    return note('second');
  }
}

it('a route that another one leads to by next() is closed', async () => {
  const { url } = await start({ platform: 'express', controllers: [Passing] });
  expect((await fetch(`${url}/passed`)).status).toBe(401);
  expect(ran).toEqual(['first']);
});

const STORAGE = {
  _handleFile: (_request: unknown, { stream }: Upload, done: (error: null, file: object) => void): void => {
    note('storage');
    stream.resume().once('end', () => done(null, {}));
  },
  _removeFile: (): void => {},
};
type Upload = { readonly stream: Readable };

@Controller()
class Uploads {
  @UseInterceptors(FileInterceptor('file', { storage: STORAGE })) @Post('upload') upload(): void {}
}

it('the storage of Multer runs after the guard', async () => {
  const { app, url } = await start({ platform: 'express', controllers: [Uploads] });
  const upload = (headers: Record<string, string>) => {
    const body = new FormData();
    body.set('file', new Blob(['text']), 'file.txt');
    return fetch(`${url}/upload`, { method: 'POST', body, headers });
  };
  expect((await upload({})).status).toBe(401);
  expect(ran).toEqual([]);
  const { bearer } = await signInAs(app, { userId: 'ana' });
  expect((await upload({ ...bearer })).status).toBe(201);
  expect(ran).toEqual(['storage']);
});

@ValidatorConstraint()
class Known {
  validate(): boolean {
    return Boolean(note('constraint'));
  }
}

class Name {
  @Validate(Known) name!: string;
}

@Controller()
class Checking {
  @Post('checked') checked(@Body() _name: Name): void {}
}

const PREFLIGHT = { origin: 'https://shop.example', 'access-control-request-method': 'GET' };

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  const open = (options: EdgeAppOptions) => start({ platform, ...options });

  it.each([
    ['GET', 'route'],
    ['POST', 'verb'],
    ['PUT', 'verb'],
    ['PATCH', 'verb'],
    ['DELETE', 'verb'],
    ['HEAD', 'route'],
    ['HEAD', 'head'],
    ['GET', 'redirect'],
    ['GET', 'stream'],
  ])('a route is closed: %p /%p', async (method, path) => {
    const { url } = await open({ controllers: [Routes] });
    expect((await fetch(`${url}/${path}`, { method, redirect: 'manual' })).status).toBe(401);
    expect(ran).toEqual([]);
  });

  it('middleware runs before the guard', async () => {
    const { url } = await open({ imports: [WithMiddleware] });
    expect((await fetch(`${url}/route`)).status).toBe(401);
    expect(ran).toEqual(['middleware']);
  });

  it('what is put on the platform itself has no guard', async () => {
    const configure = (app: INestApplication): unknown =>
      app.getHttpAdapter().get('/raw', (_: unknown, response: { send(text: string): void }) => {
        response.send(note('raw'));
      });
    const { url } = await open({ configure });
    expect(await (await fetch(`${url}/raw`)).text()).toBe('raw');
  });

  it('what is given to app.use() has no guard', async () => {
    const router = (
      request: { url?: string },
      response: { end(text: string): void },
      next: () => void,
    ): void => {
      if (request.url === '/routed') response.end(note('routed'));
      else next();
    };
    const { url } = await open({ configure: (app) => app.use(router) });
    expect(await (await fetch(`${url}/routed`)).text()).toBe('routed');
  });

  it('interceptors, pipes and parameter decorators run after the guard', async () => {
    const { url } = await open({ controllers: [Decorated] });
    expect((await fetch(`${url}/decorated?page=1`)).status).toBe(401);
    expect(ran).toEqual([]);
  });

  it('constraints of class-validator run after the guard', async () => {
    const { app, url } = await open({
      controllers: [Checking],
      configure: (nest) => nest.useGlobalPipes(new ValidationPipe()),
    });
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', body: '{"name":"ana"}' };
    expect((await fetch(`${url}/checked`, { ...request, headers })).status).toBe(401);
    expect(ran).toEqual([]);
    const { bearer } = await signInAs(app, { userId: 'ana' });
    await fetch(`${url}/checked`, { ...request, headers: { ...headers, ...bearer } });
    expect(ran).toEqual(['constraint']);
  });

  it('exception filters get what the guard refuses', async () => {
    const { url } = await open({
      controllers: [Routes],
      providers: [{ provide: APP_FILTER, useClass: Filter }],
    });
    expect((await fetch(`${url}/route`)).status).toBe(401);
    expect(ran).toEqual(['filter']);
  });

  it('exception filters get what is no route, and what cannot be read, from everybody', async () => {
    const { url } = await open({
      controllers: [Routes],
      providers: [{ provide: APP_FILTER, useClass: Filter }],
    });
    await fetch(`${url}/elsewhere`);
    expect(ran).toEqual(['filter']);
    const headers = { 'content-type': 'application/json' };
    await fetch(`${url}/write`, { method: 'POST', headers, body: '{' });
    expect(ran).toEqual(['filter', 'filter']);
  });

  it('static files have no guard', async () => {
    const { url } = await open({
      configure: (app) =>
        platform === 'express'
          ? (app as NestExpressApplication).useStaticAssets(import.meta.dirname, { prefix: '/files' })
          : (app as NestFastifyApplication).useStaticAssets({ root: import.meta.dirname, prefix: '/files' }),
    });
    expect((await fetch(`${url}/files/requests.test.ts`)).status).toBe(200);
  });

  it('CORS answers preflights before the guard, and runs no handler', async () => {
    const { url } = await open({ controllers: [Routes], configure: (app) => app.enableCors() });
    const answer = await fetch(`${url}/route`, { method: 'OPTIONS', headers: PREFLIGHT });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toContain('GET');
    expect(ran).toEqual([]);
  });

  it('functions in the options of the platform run before the guard', async () => {
    const { url } = await open({
      controllers: [Routes],
      configure: (app) => {
        const origin = (_: unknown, allow: (error: null, isAllowed: boolean) => void): void => {
          note('origin');
          allow(null, true);
        };
        const extractor = (): string => note('version');
        app.enableCors({ origin });
        app.enableVersioning({ type: VersioningType.CUSTOM, extractor, defaultVersion: 'version' });
      },
    });
    expect((await fetch(`${url}/route`, { headers: PREFLIGHT })).status).toBe(401);
    expect(new Set(ran)).toEqual(new Set(['origin', 'version']));
  });

  it('what is no route is not found, without a session too', async () => {
    const { url } = await open({ controllers: [Routes] });
    expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
  });
});
