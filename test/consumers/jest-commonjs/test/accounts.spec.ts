import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { SessionModule } from 'nestjs-sessions';
import { InMemorySessionStore, recordSessionEvents, signInAs, TestClock } from 'nestjs-sessions/testing';
import request from 'supertest';
import { AuthController } from '../src/auth.controller';
import { AccountsController } from '../src/bank.controllers';

describe('accounts', () => {
  const clock = new TestClock();
  let app: INestApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [SessionModule.forRoot({ store: InMemorySessionStore, clock: clock.now })],
      controllers: [AuthController, AccountsController],
    }).compile();
    app = await module.createNestApplication().init();
  });

  afterAll(() => app.close());

  const signInAna = () => signInAs(app, { userId: 'ana', roles: ['customer'] });
  const server = () => request(app.getHttpServer());

  it('are for customers', async () => {
    await server().get('/accounts').expect(401);
    const { bearer: stranger } = await signInAs(app, { userId: 'eve' });
    await server().get('/accounts').set(stranger).expect(403);
    const { bearer } = await signInAna();
    await server().get('/accounts').set(bearer).expect(200, { owner: 'ana' });
  });

  it('are closed again after half an hour', async () => {
    const { bearer } = await signInAna();
    clock.advance('31m');
    const { body } = await server().get('/accounts').set(bearer).expect(401);
    expect(body.code).toBe('session_expired');
  });

  it('are closed after sign-out, which is on record', async () => {
    const recorder = recordSessionEvents(app);
    const { bearer, session } = await signInAna();
    await server().post('/auth/sign-out').set(bearer).expect(204);
    await server().get('/accounts').set(bearer).expect(401);
    expect(recorder.of('revoked')).toMatchObject([{ sessionId: session.id, reason: 'sign-out' }]);
    recorder.stop();
  });
});
