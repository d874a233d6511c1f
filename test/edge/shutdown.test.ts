import { Controller, type INestApplication, Sse } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { SessionModule } from 'nestjs-sessions';
import { InMemorySessionStore, signInAs } from 'nestjs-sessions/testing';
import { concat, NEVER, type Observable, of } from 'rxjs';
import { setTimeout as pause } from 'node:timers/promises';

@Controller()
class Endless {
  /** Nest sends the head of the answer with the first event. */
  @Sse('stream') stream(): Observable<string> {
    return concat(of('first'), NEVER);
  }
}

/** Where the option stands: docs/operations.md says so. */
const PLATFORMS = {
  'on express': (app: TestingModule, forceCloseConnections: boolean) =>
    app.createNestApplication(new ExpressAdapter(), { forceCloseConnections }),
  'on fastify': (app: TestingModule, forceCloseConnections: boolean) =>
    app.createNestApplication(new FastifyAdapter({ forceCloseConnections })),
};
type TestingModule = Awaited<ReturnType<ReturnType<typeof Test.createTestingModule>['compile']>>;

describe.each(Object.entries(PLATFORMS))('%s', (_, create) => {
  let leaving: AbortController;
  let closing: Promise<void> | null;
  beforeEach(() => {
    leaving = new AbortController();
    closing = null;
  });
  afterEach(async () => {
    leaving.abort();
    await closing;
  });

  /** An application with somebody who listens, and whose shutdown has begun. */
  async function shutDown(forceCloseConnections: boolean): Promise<Response> {
    const sessions = SessionModule.forRoot({ store: InMemorySessionStore });
    const builder = Test.createTestingModule({ imports: [sessions], controllers: [Endless] });
    const app: INestApplication = create(await builder.compile(), forceCloseConnections);
    app.useLogger(false);
    await app.listen(0, '127.0.0.1');
    const { bearer } = await signInAs(app, { userId: 'ana' });
    const { signal } = leaving;
    const answer = await fetch(`${await app.getUrl()}/stream`, { headers: { ...bearer }, signal });
    closing = app.close();
    return answer;
  }

  it('an open stream is ended by the shutdown with `forceCloseConnections`', async () => {
    const answer = await shutDown(true);
    await closing;
    await answer.text().catch(() => 'cut off');
  });

  it('an open stream keeps the shutdown waiting without it', async () => {
    await shutDown(false);
    expect(await Promise.race([closing, pause(500, 'waiting')])).toBe('waiting');
  });
});
