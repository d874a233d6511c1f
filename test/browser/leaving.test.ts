import { afterEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeInBrowser } from './support/chromium.js';
import { goTo, see, seeHeading, signIn } from './support/windows.js';

/** What the browser keeps of a page that is left, and whether that is what it shows when one comes back. */
const NOTE_RETURN = `
  addEventListener('pagehide', () => (globalThis.kept = document.querySelector('main').innerText));
  addEventListener('pageshow', ({ persisted }) => (globalThis.seenOnReturn = { persisted, text: kept }));
`;

/** Neither to be seen nor hidden in the page. */
async function expectNothingOfAna(page: Page): Promise<void> {
  expect(await page.locator('body').textContent()).not.toMatch(/1000 000[12]|€/);
  expect(await page.locator('#username').textContent()).toBe('');
}

describeInBrowser('who signs out', {}, ({ bank }) => {
  afterEach(() => bank.windows.close());

  it('finds the way on every page, and leaves nothing for the back button', async () => {
    const page = await bank.windows.signIn('ana');
    for (const view of ['Devices', 'Accounts'] as const) {
      await goTo(page, view);
      await page.getByRole('button', { name: 'Sign out' }).waitFor();
    }
    await page.getByRole('button', { name: 'Sign out' }).click();
    await see(page, 'You are signed out.');
    expect(await page.context().cookies()).toEqual([]);
    for (let step = 0; step < 2; step++) {
      await page.goBack();
      await seeHeading(page, 'Sign in');
      await expectNothingOfAna(page);
    }
  });

  it('finds a blank page behind the back button, also where the browser kept the page as it was', async () => {
    const page = await bank.windows.signIn('ana');
    await see(page, '€10,000.00');
    await page.evaluate(NOTE_RETURN);
    await page.goto(`${bank.sample.url}/page/icon.svg`);
    // Not from a window: what the browser is told at sign-out makes it forget the pages that it keeps.
    await page.context().request.post(`${bank.sample.url}/auth/sign-out`);
    await page.goBack({ waitUntil: 'commit' });
    await seeHeading(page, 'Sign in');
    await expectNothingOfAna(page);
    expect(await page.evaluate('globalThis.seenOnReturn')).toEqual({ persisted: true, text: '' });
  });

  it('is not signed out by leaving and coming back', async () => {
    const page = await bank.windows.signIn('ana');
    await page.evaluate(NOTE_RETURN);
    await page.goto(`${bank.sample.url}/page/icon.svg`);
    await page.goBack({ waitUntil: 'commit' });
    await see(page, '€10,000.00');
    expect(await page.evaluate('globalThis.seenOnReturn')).toEqual({ persisted: true, text: '' });
  });

  it('is followed by the other windows, and by whoever signs in next', async () => {
    const page = await bank.windows.signIn('ana');
    const other = await bank.windows.openBeside(page.context());
    await seeHeading(other, 'Accounts');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await see(page, 'You are signed out.');
    await goTo(other, 'Devices');
    await see(other, 'You have signed out in another window.');
    await signIn(page, 'ben');
    await see(page, '1000 0003');
    await other.reload();
    await see(other, '1000 0003');
  });
});

describeInBrowser('who does nothing', { IDLE_TIMEOUT: '12s' }, ({ bank }) => {
  afterEach(() => bank.windows.close());

  it('is asked, may stay, and is signed out in the end; that the page asks by itself changes nothing', async () => {
    const page = await bank.windows.signIn('ana');
    const dialog = page.getByRole('dialog', { name: 'Are you still there?' });
    await dialog.waitFor();
    expect(await dialog.innerText()).toMatch(/signed out in 0:0[1-6]/);
    await dialog.getByRole('button', { name: 'Stay signed in' }).click();
    const stayedAt = Date.now();
    await dialog.waitFor({ state: 'hidden' });
    await goTo(page, 'Devices');
    await seeHeading(page, 'Where you are signed in');

    await dialog.waitFor();
    await see(page, 'You were signed out, because nothing had happened for a while.');
    expect(Date.now() - stayedAt).toBeGreaterThan(11_000);
    await expectNothingOfAna(page);
  });

  it('may leave at once', async () => {
    const page = await bank.windows.signIn('ana');
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out now' }).click();
    await see(page, 'You are signed out.');
  });
});
