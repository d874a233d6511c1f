import { afterEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeInBrowser } from './support/chromium.js';
import { goTo, newsOf, see, seeHeading, signIn } from './support/windows.js';

/** Before the page asks by itself, in milliseconds. */
const AT_ONCE = 5_000;

describeInBrowser('staff', {}, ({ bank }) => {
  afterEach(() => bank.windows.close());

  const sessions = (page: Page) => page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');

  /** A window of the staff that watches a user. */
  async function watch(watcher: string, username: string): Promise<Page> {
    const page = await bank.windows.signIn(watcher);
    await goTo(page, 'Staff');
    await page.getByLabel('Find a user').fill(username);
    await page.getByRole('button', { name: 'Search' }).click();
    await seeHeading(page, username);
    return page;
  }

  it('sees sessions begin and end by themselves, and ends one: its windows say so at once', async () => {
    const staff = await watch('sam', 'ana');
    await see(staff, 'Not signed in anywhere.');
    const customer = await bank.windows.signIn('ana');
    await sessions(staff).first().waitFor();
    const window = await bank.windows.openBeside(customer.context());
    await seeHeading(window, 'Accounts');
    const sockets = await Promise.all([newsOf(customer), newsOf(window)]);
    await bank.windows.signIn('ana');
    await sessions(staff).nth(1).waitFor();

    await sessions(staff).nth(1).getByRole('button').click();
    await sessions(staff).nth(1).waitFor({ state: 'detached' });
    for (const page of [customer, window]) {
      await page.getByText('You are not signed in here any more').waitFor({ timeout: AT_ONCE });
      await seeHeading(page, 'Sign in');
      expect(await page.locator('#username').textContent()).toBe('');
    }
    expect(sockets.map((socket) => socket.isClosed())).toEqual([true, true]);

    await staff.getByRole('button', { name: 'End all' }).click();
    await see(staff, 'Not signed in anywhere.');
  });

  it('begins at Staff, sees who is signed in without a search, and no accounts where there are none', async () => {
    await bank.windows.signIn('ana');
    const staff = await bank.windows.signIn('sam');
    const signedIn = staff.getByRole('list', { name: 'Signed in now' });
    await signedIn.getByRole('button', { name: 'ana · 1' }).click();
    await seeHeading(staff, 'ana');
    await sessions(staff).first().waitFor();
    // Colleagues are for administrators.
    expect(await signedIn.innerText()).not.toContain('sam');
    await goTo(staff, 'Accounts');
    await see(staff, 'You have no account with us.');
    expect(await staff.getByRole('list', { name: 'Your accounts' }).count()).toBe(0);
    const admin = await bank.windows.signIn('ada');
    await admin.getByRole('button', { name: /^sam · / }).waitFor();
  });

  it('sees a customer sign out', async () => {
    const staff = await watch('sam', 'ben');
    const customer = await bank.windows.signIn('ben');
    await sessions(staff).first().waitFor();
    await customer.getByRole('button', { name: 'Sign out' }).click();
    await see(staff, 'Not signed in anywhere.');
  });

  it('sees nothing any more once their own session has ended', async () => {
    const staff = await watch('sam', 'ben');
    await see(staff, 'Not signed in anywhere.');
    const admin = await watch('ada', 'sam');
    const stream = staff.waitForEvent('requestfinished', {
      predicate: (request) => request.url().endsWith('/live'),
      timeout: AT_ONCE,
    });
    await Promise.all([stream, admin.getByRole('button', { name: 'End all' }).click()]);
    await staff.getByText('your session was ended').waitFor({ timeout: AT_ONCE });
    expect(await staff.locator('#user').count()).toBe(0);
  });

  it('sees nothing more of a customer who becomes a colleague', async () => {
    const staff = await watch('sam', 'ben');
    await see(staff, 'Not signed in anywhere.');
    const admin = await watch('ada', 'ben');
    await admin.getByLabel('support').check();
    await admin.getByRole('button', { name: 'Save roles' }).click();
    await see(admin, 'ben is now customer and support.');
    const ben = await bank.windows.open();
    await signIn(ben, 'ben', 'Staff');
    await sessions(admin).first().waitFor();
    await see(staff, 'not live');
    expect(await sessions(staff).count()).toBe(0);
    await admin.getByLabel('support').uncheck();
    await admin.getByRole('button', { name: 'Save roles' }).click();
    await see(admin, 'ben is now customer.');
    await sessions(staff).first().waitFor();
  });

  it('finds nobody where there is nobody, and says what a name looks like', async () => {
    const staff = await bank.windows.signIn('sam');
    await goTo(staff, 'Staff');
    for (const [name, answer] of Object.entries({
      zoe: 'begins with “zoe”',
      'a%': 'small letters and digits only',
    })) {
      await staff.getByLabel('Find a user').fill(name);
      await staff.getByRole('button', { name: 'Search' }).click();
      await see(staff, answer);
    }
    await staff.getByLabel('Find a user').fill('a');
    await staff.getByRole('button', { name: 'Search' }).click();
    await staff.getByRole('button', { name: 'ana', exact: true }).click();
    await seeHeading(staff, 'ana');
    expect(await staff.getByRole('button', { name: 'Save roles' }).count()).toBe(0);
  });

  it('changes roles, which take effect on the next step of the other window', async () => {
    const admin = await watch('ada', 'ben');
    const ben = await bank.windows.signIn('ben');
    expect(await ben.getByRole('link', { name: 'Staff' }).count()).toBe(0);
    await sessions(admin).first().waitFor();

    await admin.getByLabel('support').check();
    await admin.getByRole('button', { name: 'Save roles' }).click();
    await see(admin, 'ben is now customer and support.');
    await goTo(ben, 'Devices');
    await goTo(ben, 'Staff');
    await seeHeading(ben, 'Staff');

    // What the page asks by itself waits: it would leave Staff before the next step.
    let isAnswered = () => {};
    const step = new Promise<void>((resolve) => (isAnswered = resolve));
    await ben.route('**/me/session', (route) => step.then(() => route.continue()));
    await admin.getByLabel('support').uncheck();
    await admin.getByRole('button', { name: 'Save roles' }).click();
    await see(admin, 'ben is now customer.');
    await ben.getByLabel('Find a user').fill('ana');
    await ben.getByRole('button', { name: 'Search' }).click();
    await see(ben, 'You are not allowed to do this.');
    isAnswered();
    await goTo(ben, 'Accounts');
    await ben.getByRole('link', { name: 'Staff' }).waitFor({ state: 'hidden' });
    await seeHeading(ben, 'Accounts');
  });
});
