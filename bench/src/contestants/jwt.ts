import { JwtModule, JwtService } from '@nestjs/jwt';
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { bearerToken, MeController, useGuard } from '../application/me.js';
import { createApp } from '../application/nest.js';
import { bearer } from './bearer.js';
import type { Entry, Scene, Start } from './contestant.js';

const SECRET = randomBytes(32).toString('hex');

/** As Nest's documentation has it. */
export const withString: Start = (scene) => start(scene, SECRET);

/** The key is prepared once. */
export const withKeyObject: Start = (scene) => start(scene, createSecretKey(Buffer.from(SECRET)));

interface Payload {
  readonly sub: string;
}

async function start(scene: Scene, secret: string | KeyObject): Promise<Entry> {
  const app = await createApp(scene.platform, {
    imports: [JwtModule.register({ global: true, secret, signOptions: { expiresIn: '1d' } })],
    controllers: [MeController],
  });
  const jwt = app.get(JwtService);
  useGuard(app, async (request) => {
    const token = bearerToken(request);
    if (token === null) return null;
    try {
      return (await jwt.verifyAsync<Payload>(token)).sub;
    } catch {
      return null;
    }
  });
  const sign = (sub: string, signer = jwt) => bearer(signer.sign({ sub }));
  const credentials = Array.from({ length: scene.live }, (_, n) => sign(`user-${n}`));
  return {
    app,
    credentials: async () => credentials,
    forged: sign('user-1', new JwtService({ secret: randomBytes(32).toString('hex') })),
    revoke: null,
  };
}
