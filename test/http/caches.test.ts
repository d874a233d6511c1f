import { Controller, Get, Header, Res } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Public } from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn, signInByCookie } from '../support/sign-in.js';
import { sharedAppOn } from '../support/test-app.js';

interface AnyResponse {
  header: (name: string, value: string) => void;
}

@Controller('pages')
class PagesController {
  @Get('plain') plain(): string {
    return 'plain';
  }
  @Header('Cache-Control', 'private, max-age=60') @Header('Vary', 'Accept') @Get('kept') kept(): string {
    return 'kept';
  }
  @Get('kept-by-hand') keptByHand(@Res({ passthrough: true }) response: AnyResponse): string {
    response.header('Cache-Control', 'private, max-age=60');
    response.header('Vary', 'Accept');
    return 'kept';
  }
  @Header('Vary', 'cookie, Accept') @Get('varied') varied(): string {
    return 'varied';
  }
  @Header('Vary', '*') @Get('by-anything') byAnything(): string {
    return 'varied';
  }
  @Get('broken') broken(): never {
    throw new Error('broken');
  }
  @Public() @Get('public') public(): string {
    return 'public';
  }
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = sharedAppOn(platform, { controllers: [AccountController, PagesController] });

  it.each([
    ['plain', 200, 'no-store', 'Cookie'],
    ['kept', 200, 'private, max-age=60', 'Accept, Cookie'],
    ['kept-by-hand', 200, 'private, max-age=60', 'Accept, Cookie'],
    ['varied', 200, 'no-store', 'cookie, Accept'],
    ['by-anything', 200, 'no-store', '*'],
    ['broken', 500, 'no-store', 'Cookie'],
    ['public', 200, undefined, undefined],
  ])('what answers a cookie is kept only as its handler says: %s', async (path, status, cache, vary) => {
    const app = start();
    const cookie = await signInByCookie(app);
    const { headers } = await app.http.get(`/pages/${path}`).set('Cookie', cookie).expect(status);
    expect([headers['cache-control'], headers['vary']]).toEqual([cache, vary]);
  });

  it('refusals are kept by nobody, whatever the cookie is worth', async () => {
    const { http } = start();
    const { headers } = await http.get('/pages/kept').set('Cookie', 'sid=nonsense').expect(401);
    expect([headers['cache-control'], headers['vary']]).toEqual(['no-store', 'Cookie']);
  });

  it('what answers `Authorization` shared caches keep out by themselves: nothing is added', async () => {
    const app = start();
    const { headers } = await app.http.get('/pages/plain').set(bearer(await signIn(app)));
    expect([headers['cache-control'], headers['vary']]).toEqual([undefined, undefined]);
  });
});
