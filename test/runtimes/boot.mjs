// The built package in an application of its own, from its start to its end: sign-in, a request, sign-out. What it is
// run with decides about the version of Nest, of Node, and the database.
import assert from 'node:assert/strict';
import 'reflect-metadata';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EndSession, SessionModule, StartSession } from 'nestjs-sessions';

/** As `@One() @Two() method() {}`, which plain JavaScript does not have. */
function decorate(decorators, { prototype }, name) {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  for (const decorator of decorators.toReversed()) decorator(prototype, name, descriptor);
}

class AuthController {
  signIn() {
    return { userId: 'ana', roles: [] };
  }

  me() {
    return 'signed in';
  }

  signOut() {}
}
decorate([StartSession(), Post('sign-in')], AuthController, 'signIn');
decorate([Get('me')], AuthController, 'me');
decorate([EndSession(), Post('sign-out')], AuthController, 'signOut');
Controller()(AuthController);

const url = process.env.DATABASE_URL;
const database = { type: new URL(url).protocol.slice(0, -1), url, autoLoadEntities: true, synchronize: true };

class AppModule {}
Module({
  imports: [TypeOrmModule.forRoot(database), SessionModule.forRoot()],
  controllers: [AuthController],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error', 'fatal'] });
await app.listen(0, '127.0.0.1');
const address = await app.getUrl();
const { token } = await (await fetch(`${address}/sign-in`, { method: 'POST' })).json();
const headers = { Authorization: `Bearer ${token}` };
const me = async () => (await fetch(`${address}/me`, { headers })).status;
assert.equal(await me(), 200);
await fetch(`${address}/sign-out`, { method: 'POST', headers });
assert.equal(await me(), 401);
await app.close();
