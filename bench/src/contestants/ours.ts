import { Controller, Get } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { createApp } from '../application/nest.js';
import { CurrentSession, SessionModule, type SessionModuleOptions, SessionService } from '../library.js';
import { bearer } from './bearer.js';
import type { Entry, Header, Scene, Start } from './contestant.js';
import { fillSessions, forgeToken } from './our-sessions.js';

@Controller('me')
class MeController {
  @Get() me(@CurrentSession('userId') userId: string) {
    return { userId };
  }
}

export const postgres: Start = async (scene) =>
  start(scene, { type: 'postgres', url: await scene.postgres() });

/** Answers from memory, with LISTEN and NOTIFY beside it. */
export const nearCache: Start = async (scene) =>
  start(
    scene,
    { type: 'postgres', url: await scene.postgres() },
    { cluster: { bus: 'postgres', cache: true } },
  );

export const sqlite: Start = async (scene) =>
  start(scene, { type: 'sqlite', database: join(await scene.folder(), 'app.sqlite') });

export async function start(
  scene: Scene,
  database: TypeOrmModuleOptions,
  options?: SessionModuleOptions,
): Promise<Entry> {
  const typeorm = TypeOrmModule.forRoot({ ...database, autoLoadEntities: true, synchronize: true });
  const app = await createApp(scene.platform, {
    imports: [typeorm, SessionModule.forRoot(options)],
    controllers: [MeController],
  });
  await app.init();
  const credentials = await fillSessions(app.get(SessionService), app.get(DataSource), scene);
  return {
    app,
    credentials: async () => credentials,
    forged: bearer(forgeToken()),
    revoke: (header) => revoke(app.get(SessionService), header),
  };
}

async function revoke(sessions: SessionService, [, value]: Header): Promise<void> {
  const { session } = await sessions.validate(value.slice('Bearer '.length));
  if (session === null || !(await sessions.revoke(session.id)))
    throw new Error('There was nothing to revoke.');
}
