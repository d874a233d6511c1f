import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { describeInBrowser } from './support/chromium.js';
import { startTlsProxy, type TlsProxy } from './support/tls-proxy.js';
import { goTo, see, seeHeading, signIn } from './support/windows.js';

const TOKEN = /^sid_[A-Za-z0-9_-]{70}$/;

describeInBrowser(
  'the cookie over HTTPS',
  { TRUST_PROXY: 'loopback', NODE_ENV: 'production' },
  ({ bank }) => {
    let proxy: TlsProxy;

    beforeAll(async () => {
      proxy = await startTlsProxy(bank.sample.url);
    });

    afterEach(() => bank.windows.close());
    afterAll(() => proxy.close());

    it('is for this host and HTTPS only, out of reach of scripts and gone with the browser', async () => {
      const page = await bank.windows.open({ ignoreHTTPSErrors: true }, proxy.url);
      await signIn(page, 'ana');
      expect(await page.context().cookies()).toEqual([
        expect.objectContaining({
          name: '__Host-sid',
          value: expect.stringMatching(TOKEN),
          domain: 'localhost', // without a dot: no other host gets it
          path: '/',
          secure: true,
          httpOnly: true,
          sameSite: 'Lax',
          expires: -1,
        }),
      ]);
      expect(await page.evaluate('document.cookie')).toBe('');
      await goTo(page, 'Devices');
      await see(page, 'Address 203.0.113.7');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await see(page, 'You are signed out.');
      expect(await page.context().cookies()).toEqual([]);
    });

    it('is the only thing that is needed: plain HTTP is refused', async () => {
      const page = await bank.windows.open();
      await page.getByRole('textbox', { name: 'Username' }).fill('ana');
      await page.getByRole('textbox', { name: 'Password' }).fill('ana-demo-password');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await see(page, /HTTPS/);
      expect(await page.context().cookies()).toEqual([]);
    });
  },
);

describeInBrowser('the cookie in development', {}, ({ bank }) => {
  afterEach(() => bank.windows.close());

  it('is the same, but for what needs HTTPS', async () => {
    const page = await bank.windows.signIn('ana');
    const [cookie, ...others] = await page.context().cookies();
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({
      name: 'sid',
      domain: '127.0.0.1',
      path: '/',
      secure: false,
      httpOnly: true,
      sameSite: 'Lax',
      expires: -1,
    });
    expect(await page.evaluate('document.cookie')).toBe('');
  });

  it('has a new token after a step-up, and one session still', async () => {
    const page = await bank.windows.signIn('ben');
    const [before] = await page.context().cookies();
    await page.evaluate(`fetch('/auth/step-up', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ password: 'ben-demo-password' }),
    })`);
    const [after] = await page.context().cookies();
    expect(after?.value).not.toBe(before?.value);
    await goTo(page, 'Devices');
    await seeHeading(page, 'Where you are signed in');
    expect(await page.getByRole('list', { name: 'Devices' }).getByRole('listitem').count()).toBe(1);
  });
});
