import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import {
  Controller,
  Get,
  HttpCode,
  type INestApplication,
  Post,
  Query,
  Req,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import expressSession from 'express-session';
import { randomBytes } from 'node:crypto';
import { createApp } from '../application/nest.js';
import type { Entry, Header, Scene, Start } from './contestant.js';
import * as stores from './session-stores.js';

// express-session and @fastify/session, which have the same interface: sign-in puts the user into `request.session`.

interface SessionRequest {
  readonly session: { userId?: string; destroy(done: (error?: unknown) => void): void };
}

class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { session } = context.switchToHttp().getRequest<SessionRequest>();
    if (session.userId === undefined) throw new UnauthorizedException();
    return true;
  }
}

@Controller()
class SessionController {
  @Post('sign-in')
  @HttpCode(204)
  signIn(@Req() { session }: SessionRequest, @Query('user') userId: string) {
    session.userId = userId;
  }

  @UseGuards(SignedInGuard)
  @Post('sign-out')
  @HttpCode(204)
  signOut(@Req() { session }: SessionRequest) {
    return new Promise<void>((resolve, reject) => {
      session.destroy((error) => (error ? reject(error as Error) : resolve()));
    });
  }

  @UseGuards(SignedInGuard)
  @Get('me')
  me(@Req() { session }: SessionRequest) {
    return { userId: session.userId };
  }
}

export const inMemory: Start = (scene) => start(scene, stores.memory);
export const inPostgres: Start = (scene) => start(scene, stores.postgres);
export const inTypeorm: Start = (scene) => start(scene, stores.typeorm);
export const inRedis: Start = (scene) => start(scene, stores.redis);

async function start(scene: Scene, open: stores.OpenStore): Promise<Entry> {
  const { store, fill, close } = await open(scene);
  const app = await createApp(scene.platform, { controllers: [SessionController] });
  await (scene.platform === 'express' ? useOnExpress : useOnFastify)(app, store);
  await app.listen(0, '127.0.0.1');
  const origin = await app.getUrl();
  const credentials: Header[] = [];
  while (credentials.length < scene.live)
    credentials.push(await signIn(origin, `user-${credentials.length}`));
  await fill(scene.sessions - scene.live);
  return {
    app,
    credentials: async () => credentials,
    forged: forge(credentials[0] ?? ['Cookie', '']),
    revoke: (header) => fetchOk(`${origin}/sign-out`, { method: 'POST', headers: [[...header]] }),
    close,
  };
}

function useOnExpress(app: INestApplication, store: expressSession.Store): void {
  app.use(expressSession({ secret: newSecret(), store, resave: false, saveUninitialized: false }));
}

async function useOnFastify(app: INestApplication, store: expressSession.Store): Promise<void> {
  const fastify = app as NestFastifyApplication;
  const cookie = { secure: false };
  await fastify.register(fastifyCookie);
  await fastify.register(fastifySession, { secret: newSecret(), store, cookie, saveUninitialized: false });
}

async function signIn(origin: string, userId: string): Promise<Header> {
  const answer = await fetchOk(`${origin}/sign-in?user=${userId}`, { method: 'POST' });
  const [cookie] = answer.headers.getSetCookie().map((line) => line.split(';')[0]);
  if (cookie === undefined) throw new Error('Sign-in set no cookie.');
  return ['Cookie', cookie];
}

/** With a signature that is none. */
function forge([name, cookie]: Header): Header {
  return [name, `${cookie.slice(0, -8)}AAAAAAAA`];
}

async function fetchOk(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init);
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}.`);
  return answer;
}

const newSecret = () => randomBytes(32).toString('hex');
