import { Controller, Get } from '@nestjs/common';
import { expect, it } from '@jest/globals';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Public, SessionStore } from 'nestjs-sessions';
import { SessionHealthIndicator } from 'nestjs-sessions/terminus';
import { edgeApps } from './support/edge-apps.js';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly sessions: SessionHealthIndicator,
  ) {}

  @Public()
  @HealthCheck()
  @Get()
  check(): Promise<object> {
    return this.health.check([() => this.sessions.isHealthy(), () => this.sessions.isHealthy('again')]);
  }
}

const start = edgeApps();

it('is up while the store answers, and down without a word about why', async () => {
  const { app, url } = await start({
    imports: [TerminusModule.forRoot({ logger: false })],
    controllers: [HealthController],
    providers: [SessionHealthIndicator],
  });
  const up = await fetch(`${url}/health`);
  expect(up.status).toBe(200);
  const both = { sessions: { status: 'up' }, again: { status: 'up' } };
  expect(await up.json()).toMatchObject({ status: 'ok', details: both });

  const store = app.get(SessionStore, { strict: false });
  store.findById = () => Promise.reject(new Error('connect ECONNREFUSED 10.1.2.3:5432'));
  const down = await fetch(`${url}/health`);
  expect(down.status).toBe(503);
  const answer = await down.text();
  expect(answer).toContain('The session store is unavailable.');
  expect(answer).not.toMatch(/ECONNREFUSED|10\.1\.2\.3/);
});
