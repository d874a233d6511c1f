import { Controller, Get, type ModuleMetadata } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { MeController, type MeRequest } from '../application/me.js';
import { createApp } from '../application/nest.js';
import { bearer } from './bearer.js';
import type { Start } from './contestant.js';

@Controller('me')
class BareController {
  @Get() me() {
    return { userId: 'user-1' };
  }
}

/** Nothing but the handler. */
export const handler: Start = (scene) => start(scene, { controllers: [BareController] });

/** No guard that does anything at all can be faster than this one. */
export const guard: Start = (scene) =>
  start(scene, { controllers: [MeController], providers: [{ provide: APP_GUARD, useValue: ceiling }] });

const ceiling = {
  canActivate(context: { switchToHttp(): { getRequest(): MeRequest } }): boolean {
    context.switchToHttp().getRequest().userId = 'user-1';
    return true;
  },
};

const start = async (scene: Parameters<Start>[0], metadata: ModuleMetadata): ReturnType<Start> => ({
  app: await createApp(scene.platform, metadata),
  credentials: async () => Array.from({ length: scene.live }, (_, n) => bearer(String(n))),
  forged: null,
  revoke: null,
});
