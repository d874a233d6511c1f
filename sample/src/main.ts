import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { config } from './config.js';
import { DEMO_USERS } from './demo-data.js';

const app = await NestFactory.create<NestExpressApplication>(AppModule, {
  logger: ['warn', 'error', 'fatal'],
});

// What no DTO asks for is refused: nobody can add `roles` to a body and hope that it is stored.
app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }));

// On SIGTERM the last activity of every session is written before the database is closed.
app.enableShutdownHooks();

// Not reachable from other machines: the passwords of the demo users are known to everybody. Behind a proxy that
// speaks HTTPS it would need `app.set('trust proxy', …)` too, so that it knows which requests came over HTTPS.
await app.listen(config.port, '127.0.0.1');

console.log(`The bank is open at ${await app.getUrl()}`);
for (const { username, password, roles } of DEMO_USERS) {
  console.log(`  ${username} (${roles.join(', ')}), password: ${password}`);
}
