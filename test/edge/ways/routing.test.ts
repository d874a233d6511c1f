import {
  All,
  Controller,
  Get,
  type INestApplication,
  Module,
  Options,
  type Type,
  VersioningType,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { RouterModule } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Public } from 'nestjs-sessions';
import { type EdgeApp, type EdgeAppOptions, edgeApps } from '../support/edge-apps.js';
import { noteRuns } from '../support/runs.js';

/* However a route gets its path, and whoever has written the controller: without a session it is closed. */

const { ran, note } = noteRuns();
const start = edgeApps();

@Controller('orders')
class Orders {
  @Get() list(): string {
    return note('orders');
  }
}

@Module({ controllers: [Orders] })
class OrdersModule {}

@Controller({ path: 'versioned', version: '2' })
class Versioned {
  @Get() show(): string {
    return note('versioned');
  }
}

@Controller()
class Wide {
  @All('all') all(): string {
    return note('all');
  }
  @Options('options') options(): string {
    return note('options');
  }
}

@Controller({ path: 'hosted', host: '127.0.0.1' })
class Hosted {
  @Get() show(): string {
    return note('hosted');
  }
}

/** Each platform writes wildcards in a way of its own. */
function filesOn(platform: 'express' | 'fastify'): Type {
  class Files {
    file(): string {
      return note('file');
    }
  }
  const { file } = Files.prototype;
  Get(platform === 'express' ? 'files/*path' : 'files/*')(Files.prototype, 'file', { value: file });
  Controller()(Files);
  return Files;
}

@Controller('health')
class Health {
  constructor(private readonly health: HealthCheckService) {}
  @HealthCheck() @Get() check(): Promise<unknown> {
    note('health');
    return this.health.check([]);
  }
}

@Controller('health')
class OpenHealth extends Health {
  @Public() @HealthCheck() @Get() override check(): Promise<unknown> {
    return super.check();
  }
}

/** As packages bring one along, such as one for metrics: a class that the application did not write. */
function packageWithController(): Type {
  class Metrics {
    index(): string {
      return note('metrics');
    }
  }
  const { index } = Metrics.prototype;
  Get()(Metrics.prototype, 'index', { value: index });
  Controller('metrics')(Metrics);
  class MetricsModule {}
  Module({ controllers: [Metrics] })(MetricsModule);
  return MetricsModule;
}

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  const open = (options: EdgeAppOptions) => start({ platform, ...options });

  async function expectClosed({ url }: EdgeApp, path: string, method = 'GET'): Promise<void> {
    expect((await fetch(`${url}/${path}`, { method })).status).toBe(401);
    expect(ran).toEqual([]);
  }

  it('routes of RouterModule are closed', async () => {
    const routes = [{ path: 'shop', module: OrdersModule }];
    await expectClosed(await open({ imports: [OrdersModule, RouterModule.register(routes)] }), 'shop/orders');
  });

  it('routes under a global prefix, and those that it excludes, are closed', async () => {
    const app = await open({
      controllers: [Orders, Wide],
      configure: (app) => app.setGlobalPrefix('api', { exclude: ['all'] }),
    });
    await expectClosed(app, 'api/orders');
    await expectClosed(app, 'all');
  });

  it('routes of a version are closed', async () => {
    const app = await open({
      controllers: [Versioned],
      configure: (app) => app.enableVersioning({ type: VersioningType.URI }),
    });
    await expectClosed(app, 'v2/versioned');
  });

  it.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'a route for all methods is closed: %p',
    async (method) => {
      await expectClosed(await open({ controllers: [Wide] }), 'all', method);
    },
  );

  it('a route for OPTIONS is closed', async () => {
    await expectClosed(await open({ controllers: [Wide] }), 'options', 'OPTIONS');
  });

  it('a route with a wildcard is closed', async () => {
    await expectClosed(await open({ controllers: [filesOn(platform)] }), 'files/a/b.txt');
  });

  it('a route that is bound to a host is closed', async () => {
    await expectClosed(await open({ controllers: [Hosted] }), 'hosted');
  });

  it('the controller of a package is closed', async () => {
    await expectClosed(await open({ imports: [packageWithController()] }), 'metrics');
  });

  it('the controller of health checks is closed, unless it is public', async () => {
    await expectClosed(await open({ imports: [TerminusModule], controllers: [Health] }), 'health');
    const { url } = await open({ imports: [TerminusModule], controllers: [OpenHealth] });
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it('the pages of Swagger have no guard', async () => {
    const configure = (app: INestApplication): void =>
      SwaggerModule.setup('api', app, SwaggerModule.createDocument(app, new DocumentBuilder().build()));
    const { url } = await open({ controllers: [Orders], configure });
    const answer = await fetch(`${url}/api-json`);
    expect(answer.status).toBe(200);
    expect(Object.keys(((await answer.json()) as { paths: object }).paths)).toEqual(['/orders']);
    expect(ran).toEqual([]);
  });
});
