import { describe, expect, it } from '@jest/globals';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, signInByCookie } from '../support/sign-in.js';
import { appsOn } from '../support/test-app.js';

const HTTPS = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'app.example.com' };
const FOREIGN = 'https://front.example.net';

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  it.each<[string, Record<string, string>, string]>([
    ['a page of another origin', { Origin: FOREIGN }, FOREIGN],
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }, 'another site'],
    ['an odd page', { Origin: 'x"\\y' }, String.raw`"x\"\\y"`],
  ])(
    'the log says once what was refused, and what to do if it is one of yours: %s',
    async (_, headers, said) => {
      const app = await start({ controllers: [AccountController], trustProxy: true });
      const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
      for (let count = 0; count < 2; count++) {
        await app.http.post('/act').set(HTTPS).set('Cookie', cookie).set(headers).expect(403);
      }
      const warnings = app.logs.texts('warn').filter((text) => text.includes('cross_origin'));
      expect(warnings).toHaveLength(1);
      for (const part of [said, '"https://app.example.com"', 'trustedOrigins'])
        expect(warnings[0]).toContain(part);
    },
  );

  it('the log names no origin to trust where the page keeps its own, as that of helmet does', async () => {
    const app = await start({ controllers: [AccountController], trustProxy: true });
    const cookie = await signInByCookie(app, { userId: 'ana' }, HTTPS);
    await app.http.post('/act').set(HTTPS).set('Cookie', cookie).set('Origin', 'null').expect(403);
    const warning = app.logs.texts('warn').find((text) => text.includes('cross_origin'));
    expect(warning).toMatch(/"null".*`Referrer-Policy` is `no-referrer`.*`same-origin`/);
    expect(warning).not.toContain('trustedOrigins');
  });
});
