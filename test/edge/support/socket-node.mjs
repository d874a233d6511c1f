// One application with a gateway of socket.io in a process of its own, as one of several: it does what its parent tells it.
import { register } from 'node:module';

const { install, platform, database, redisUrl } = JSON.parse(process.argv[2]);
register('./of-install.mjs', import.meta.url, { data: install });

await import('reflect-metadata');
const { Module } = await import('@nestjs/common');
const { NestFactory } = await import('@nestjs/core');
const { IoAdapter } = await import('@nestjs/platform-socket.io');
const { TypeOrmModule } = await import('@nestjs/typeorm');
const { SubscribeMessage, WebSocketGateway, WebSocketServer } = await import('@nestjs/websockets');
const { createAdapter } = await import('@socket.io/redis-adapter');
const { Redis } = await import('ioredis');
const { sessionEntities, SessionModule, sessionOf, SessionService } = await import('../../../dist/index.js');

let ahead = 0;

class Chat {
  say(client, text) {
    return `${sessionOf(client)?.userId}: ${text}`;
  }
}
WebSocketGateway()(Chat);
WebSocketServer()(Chat.prototype, 'server');
SubscribeMessage('say')(Chat.prototype, 'say', Object.getOwnPropertyDescriptor(Chat.prototype, 'say'));

class Application {}
Module({
  imports: [
    TypeOrmModule.forRoot({ ...database, entities: [...sessionEntities], synchronize: true }),
    SessionModule.forRoot({ audit: false, purge: false, clock: () => Date.now() + ahead }),
  ],
  providers: [Chat],
})(Application);

/** As the page of Nest on adapters has it. */
class RedisIoAdapter extends IoAdapter {
  createIOServer(port, options) {
    const server = super.createIOServer(port, options);
    server.adapter(createAdapter(new Redis(redisUrl), new Redis(redisUrl)));
    return server;
  }
}

async function platformAdapter() {
  if (platform === 'express') return new (await import('@nestjs/platform-express')).ExpressAdapter();
  return new (await import('@nestjs/platform-fastify')).FastifyAdapter();
}

const app = await NestFactory.create(Application, await platformAdapter(), {
  logger: false,
  abortOnError: false,
});
app.useWebSocketAdapter(new RedisIoAdapter(app));
await app.listen(0, '127.0.0.1');

const service = app.get(SessionService);
const commands = {
  port: async () => Number(new URL(await app.getUrl()).port),
  signIn: async (userId) => (await service.create({ userId })).token,
  revokeAll: (userId) => service.revokeAll(userId),
  /** To the clients of all nodes. */
  tell: (what) => void app.get(Chat).server.emit('news', what),
  advance: (milliseconds) => void (ahead += milliseconds),
};

process.on('message', async ({ id, command, args }) => {
  try {
    process.send({ id, result: (await commands[command](...args)) ?? null });
  } catch (error) {
    process.send({ id, error: { message: error.message, code: error.code ?? error.name } });
  }
});
process.send({ id: 'ready' });
