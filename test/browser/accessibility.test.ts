import { afterEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeInBrowser } from './support/chromium.js';
import { goTo, see, seeHeading } from './support/windows.js';

/** A control in Playwright's picture of the accessibility tree that has no name. */
const NAMELESS =
  /^\s*- (?:button|link|textbox|combobox|checkbox|searchbox|dialog|list|navigation|img)(?=[ :]|$)(?! ")[^\n]*$/gm;

describeInBrowser('the page', { TRANSFER_WITHIN: '1s' }, ({ bank }) => {
  afterEach(() => bank.windows.close());

  const focused = (page: Page) =>
    page.evaluate('document.activeElement.id || document.activeElement.innerText');

  async function press(page: Page, ...keys: string[]): Promise<void> {
    for (const key of keys) await page.keyboard.press(key);
  }

  async function expectAccessible(page: Page): Promise<void> {
    const tree = await page.locator('body').ariaSnapshot();
    expect(tree).toContain('- heading');
    expect(tree.match(NAMELESS) ?? []).toEqual([]);
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
  }

  it('can be used with the keyboard alone', async () => {
    const page = await bank.windows.open();
    await seeHeading(page, 'Sign in');
    expect(await focused(page)).toBe('sign-in-username');
    await page.keyboard.type('ana');
    await press(page, 'Tab');
    await page.keyboard.type('ana-demo-password');
    await press(page, 'Enter');
    await seeHeading(page, 'Accounts');
    expect(await focused(page)).toBe('Accounts');
    await page.waitForTimeout(1_000);

    await press(page, 'Tab');
    expect(await focused(page)).toBe('transfer-from');
    await press(page, 'ArrowDown', 'Tab');
    await page.keyboard.type('10000003');
    await press(page, 'Tab');
    await page.keyboard.type('1.15');
    await press(page, 'Enter');
    await page.getByRole('dialog').waitFor();
    expect(await focused(page)).toBe('step-up-password');
    await press(page, 'Escape');
    await see(page, 'Nothing was done');
    expect(await focused(page)).toBe('transfer-amount');
  });

  it('has a name for every control, and fits a small telephone, in light and dark', async () => {
    const viewport = { width: 320, height: 640 };
    const page = await bank.windows.open({ viewport, colorScheme: 'dark' });
    await seeHeading(page, 'Sign in');
    await expectAccessible(page);
    await page.context().close();

    const admin = await bank.windows.signIn('ada', { viewport });
    await expectAccessible(admin);
    await goTo(admin, 'Devices');
    await seeHeading(admin, 'Where you are signed in');
    await expectAccessible(admin);
    await goTo(admin, 'Staff');
    await admin.getByLabel('Find a user').fill('a');
    await press(admin, 'Enter');
    await admin.getByRole('button', { name: 'ada', exact: true }).click();
    await admin.getByRole('button', { name: 'End Chrome on Linux' }).waitFor();
    await expectAccessible(admin);
  });

  it('puts the focus where the news is, and says it aloud', async () => {
    const page = await bank.windows.signIn('ana');
    await page.getByLabel('To account').fill('123');
    await press(page, 'Enter');
    await page.getByLabel('Amount in euros').fill('1');
    await press(page, 'Enter');
    await page.getByRole('alert').getByText('An account number has 8 digits.').waitFor();
    expect(await focused(page)).toBe('transfer-to');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await see(page, 'You are signed out.');
    expect(await focused(page)).toBe('You are signed out.');
    expect(await page.title()).toBe('Sign in – Small Bank');
  });
});
