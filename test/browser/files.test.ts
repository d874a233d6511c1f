import { afterEach, expect, it } from '@jest/globals';
import { describeInBrowser } from './support/chromium.js';
import { see } from './support/windows.js';

describeInBrowser('the files of the page', {}, ({ bank }) => {
  afterEach(() => bank.windows.close());

  it('come with a policy under which nothing slipped in would run', async () => {
    const page = await bank.windows.open();
    const answer = await page.reload();
    page.removeAllListeners('console'); // which tells of the violation too
    expect(await answer?.headerValue('content-security-policy')).toMatch(
      /^default-src 'none';script-src 'self';/,
    );
    const ran = await page.evaluate(`new Promise((resolve) => {
      const script = document.createElement('script');
      document.addEventListener('securitypolicyviolation', ({ violatedDirective }) => resolve(violatedDirective));
      try {
        script.textContent = 'globalThis.ran = true';
        document.body.append(script);
      } catch {}
      setTimeout(() => resolve(String(globalThis.ran)), 1_000);
    })`);
    expect(ran).toBe('require-trusted-types-for');
  });

  it('may be kept, and are asked for again; what the API answers is never kept', async () => {
    const ask = (path: string, headers = {}) => fetch(bank.sample.url + path, { headers });
    const first = await ask('/page/main.js');
    expect(first.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(first.headers.get('cache-control')).toBe('no-cache');
    const again = await ask('/page/main.js', { 'If-None-Match': first.headers.get('etag') });
    expect(again.status).toBe(304);
    expect((await ask('/me')).headers.get('cache-control')).toBe('no-store');
    expect((await ask('/page/..%2f..%2fpackage.json')).status).toBe(404);
    expect((await ask('/page/nothing.js')).status).toBe(404);
  });

  it('are nobody’s data: it all comes from answers that no cache keeps', async () => {
    const page = await bank.windows.signIn('ana');
    const answers: Promise<string | null>[] = [];
    page.on('response', (answer) => {
      if (!answer.url().includes('/page/')) answers.push(answer.headerValue('cache-control'));
    });
    await page.evaluate(`location.hash = '#devices'`);
    await see(page, 'This device');
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['no-store']));
  });
});
