import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Page, Response } from 'playwright-core';
import { describeInBrowser } from './support/chromium.js';
import { goTo, see, seeHeading } from './support/windows.js';

describeInBrowser('a form on a page of somebody else', {}, ({ bank }) => {
  let evil: Server;

  beforeAll(async () => {
    evil = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '/', 'http://evil.example');
      response.setHeader('Content-Type', 'text/html').end(formOf(searchParams));
    }).listen(0, '127.0.0.1');
    await once(evil, 'listening');
  });

  afterEach(() => bank.windows.close());

  afterAll(async () => {
    evil.closeAllConnections();
    await once(evil.close(), 'close');
  });

  /** To the browser another port is another origin of the same site, and another host another site. */
  async function lure(
    page: Page,
    host: string,
    path: string,
    fields: Record<string, string>,
  ): Promise<Response> {
    const { port } = evil.address() as AddressInfo;
    const action = bank.sample.url + path;
    const victim = await page.context().newPage();
    await victim.goto(`http://${host}:${port}/?${new URLSearchParams({ ...fields, action })}`);
    const answer = victim.waitForResponse(action);
    await victim.getByRole('button').click();
    return answer;
  }

  it('cannot send money, though the browser sends the cookie along', async () => {
    const page = await bank.windows.signIn('ana');
    const transfer = { from: '10000001', to: '10000003', amountInCents: '100' };
    const answer = await lure(page, '127.0.0.1', '/accounts/transfers', transfer);
    expect(await answer.request().headerValue('cookie')).toMatch(/^sid=/);
    expect(answer.status()).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'cross_origin' });
    await page.reload();
    await see(page, '€2,500.00');
  });

  it('cannot sign anybody out', async () => {
    const page = await bank.windows.signIn('ana');
    const answer = await lure(page, '127.0.0.1', '/auth/sign-out', {});
    expect(answer.status()).toBe(403);
    await goTo(page, 'Devices');
    await seeHeading(page, 'Where you are signed in');
  });

  it('does not even get the cookie sent from another site', async () => {
    const page = await bank.windows.signIn('ana');
    const transfer = { from: '10000001', to: '10000003', amountInCents: '100' };
    const answer = await lure(page, 'localhost', '/accounts/transfers', transfer);
    expect(await answer.request().headerValue('cookie')).toBeNull();
    expect(answer.status()).toBe(401);
  });

  it.each(['127.0.0.1', 'localhost'])('cannot sign anybody in as somebody else, from %s', async (host) => {
    const page = await bank.windows.signIn('ana');
    const before = await page.context().cookies();
    const credentials = { username: 'ben', password: 'ben-demo-password' };
    const answer = await lure(page, host, '/auth/browser/sign-in', credentials);
    expect(answer.status()).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'cross_origin' });
    expect(await page.context().cookies()).toEqual(before);
  });
});

function formOf(fields: URLSearchParams): string {
  const inputs = [...fields].map(([name, value]) => `<input name="${name}" value="${value}">`);
  return `<form method="post" action="${fields.get('action')}">${inputs.slice(0, -1).join('')}<button>Win</button></form>`;
}
