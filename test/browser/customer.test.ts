import { afterEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { setTimeout as wait } from 'node:timers/promises';
import { describeInBrowser } from './support/chromium.js';
import { goTo, newsOf, see, seeHeading } from './support/windows.js';

const PASSWORD_AGE = 4_000;

describeInBrowser('a customer', { TRANSFER_WITHIN: `${PASSWORD_AGE}ms` }, ({ bank }) => {
  afterEach(() => bank.windows.close());

  const devices = (page: Page) => page.getByRole('list', { name: 'Devices' }).getByRole('listitem');

  async function send(page: Page, amount: string): Promise<void> {
    await page.getByLabel('To account').fill('1000 0003');
    await page.getByLabel('Amount in euros').fill(amount);
    await page.getByRole('button', { name: 'Send' }).click();
  }

  it('is told when the password is wrong, and keeps the name typed in', async () => {
    const page = await bank.windows.open();
    await page.getByRole('textbox', { name: 'Username' }).fill('ana');
    await page.getByRole('textbox', { name: 'Password' }).fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await see(page, 'Wrong username or password.');
    expect(await page.getByRole('textbox', { name: 'Username' }).inputValue()).toBe('ana');
    expect(await page.getByRole('textbox', { name: 'Password' }).inputValue()).toBe('');
  });

  it('finds no error in the console of a page that is opened for the first time', async () => {
    const page = await bank.windows.open();
    const problems: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    const refused: string[] = [];
    page.on('response', (answer) => answer.status() < 400 || refused.push(answer.url()));
    await page.reload();
    await seeHeading(page, 'Sign in');
    await page.waitForLoadState('networkidle');
    expect({ problems, refused }).toEqual({ problems: [], refused: [] });
  });

  it('sees who can be signed in as, signs in with a press of the button, and names the device', async () => {
    const page = await bank.windows.open();
    await page.getByRole('button', { name: 'ben, customer' }).click();
    await page.getByLabel('Name of this device (optional)').fill('work laptop');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await seeHeading(page, 'Accounts');
    await goTo(page, 'Devices');
    await see(page, 'work laptop');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await see(page, 'You are signed out.');
  });

  it('sees their accounts, and is still signed in after a reload', async () => {
    const page = await bank.windows.signIn('ana');
    await see(page, '€10,000.00');
    await page.reload();
    await see(page, '€10,000.00');
  });

  it('sends money once it is sure that it is still them', async () => {
    const page = await bank.windows.signIn('ana');
    await wait(PASSWORD_AGE);
    await send(page, '12,50');
    const dialog = page.getByRole('dialog', { name: 'Is it still you?' });
    const password = dialog.getByLabel('Password');
    await password.fill('wrong');
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    await see(page, 'That is not your password.');
    await password.fill('ana-demo-password');
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    await see(page, '€12.50 sent to 1000 0003.');
    await see(page, '€2,487.50');
    await dialog.waitFor({ state: 'hidden' });
    expect(await page.locator('#step-up-password').inputValue()).toBe('');
  });

  it('sees money arrive that somebody else has sent, in every window, and keeps what was typed in', async () => {
    const ben = await bank.windows.signIn('ben');
    const second = await bank.windows.openBeside(ben.context());
    await seeHeading(second, 'Accounts');
    const sockets = await Promise.all([newsOf(ben), newsOf(second)]);
    await goTo(second, 'Devices');
    await seeHeading(second, 'Where you are signed in');
    await ben.getByLabel('To account').fill('1000');
    const before = await ben.locator('.amount').innerText();
    const ana = await bank.windows.signIn('ana');
    const told = sockets.map((socket) => socket.waitForEvent('framereceived'));
    await send(ana, '1');
    await see(ana, '€1.00 sent to 1000 0003.');
    for (const { payload } of await Promise.all(told)) {
      expect(JSON.parse(String(payload))).toMatchObject({ number: '10000003', amountInCents: 100 });
    }
    for (const page of [ben, second]) await see(page, '€1.00 arrived on 1000 0003.');
    expect(await ben.locator('.amount').innerText()).not.toBe(before);
    expect(await ben.getByLabel('To account').inputValue()).toBe('1000');
    // It is nobody else's news.
    expect(await ana.getByText('arrived').count()).toBe(0);
  });

  it('sends nothing where they would rather not confirm it', async () => {
    const page = await bank.windows.signIn('ben');
    await see(page, '€763.50');
    await wait(PASSWORD_AGE);
    await page.getByLabel('To account').fill('10000001');
    await page.getByLabel('Amount in euros').fill('700');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await see(page, 'Nothing was done');
    await page.reload();
    await see(page, '€763.50');
  });

  it('is told what is wrong with a transfer', async () => {
    const page = await bank.windows.signIn('ana');
    await send(page, '12.505');
    await see(page, 'Write the amount like this: 12.50');
    await page.getByLabel('To account').fill('123');
    await page.getByRole('button', { name: 'Send' }).click();
    await see(page, 'An account number has 8 digits.');
  });

  it('sees where they are signed in, and ends one and all others', async () => {
    const page = await bank.windows.signIn('sam');
    const phone = await bank.windows.signIn('sam', {
      userAgent: 'Mozilla/5.0 (iPhone) Version/18.0 Safari/605.1',
    });
    const tablet = await bank.windows.signIn('sam', {
      userAgent: 'Mozilla/5.0 (iPad) Version/18.0 Safari/605.1',
    });
    await bank.windows.signIn('sam');
    await goTo(page, 'Devices');
    await seeHeading(page, 'Where you are signed in');
    await see(page, 'This device');
    expect(await devices(page).allInnerTexts()).toEqual([
      expect.stringMatching(
        /^Chrome on Linux This device\s+Address 127\.0\.0\.1 · signed in today at \d\d:\d\d · /,
      ),
      expect.stringMatching(/^Chrome on Linux \(2\)\s+This network \(127\.0\.0\.1\) · /),
      expect.stringMatching(/^Safari on iPad\s/),
      expect.stringMatching(/^Safari on iPhone\s/),
    ]);

    await page.getByRole('button', { name: 'End Safari on iPad' }).click();
    await see(page, 'That device is signed out.');
    await devices(page).nth(3).waitFor({ state: 'detached' });
    await goTo(tablet, 'Devices');
    await see(tablet, 'your session was ended');

    await page.getByRole('button', { name: 'End all others' }).click();
    await see(page, '2 other devices are signed out.');
    await devices(page).nth(1).waitFor({ state: 'detached' });
    await goTo(phone, 'Devices');
    await see(phone, 'your session was ended');
    await seeHeading(phone, 'Sign in');
    await goTo(page, 'Accounts');
    await seeHeading(page, 'Accounts');
  });
});
