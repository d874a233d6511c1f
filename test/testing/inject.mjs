// What a user's test does with `app.inject`, in a process of its own: Jest cannot load what Fastify needs for it.
import 'reflect-metadata';
import { Controller, Get } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { SessionModule } from 'nestjs-sessions';
import { InMemorySessionStore, signInAs } from 'nestjs-sessions/testing';

class MeController {
  me() {
    return 'signed in';
  }
}
Controller()(MeController);
Get('me')(MeController.prototype, 'me', Object.getOwnPropertyDescriptor(MeController.prototype, 'me'));

const module = await Test.createTestingModule({
  imports: [SessionModule.forRoot({ store: InMemorySessionStore })],
  controllers: [MeController],
}).compile();
const app = module.createNestApplication(new FastifyAdapter(), { logger: false });
await app.init();

const { bearer, cookie } = await signInAs(app, { userId: 'ana' });
for (const headers of [bearer, cookie, {}]) {
  const { statusCode } = await app.inject({ url: '/me', headers });
  console.log(statusCode);
}
await app.close();
