import { setTimeout as wait } from 'node:timers/promises';
import { startApp } from './app.js';
import { chapter, expect, step } from './report.js';

/** The five steps of stateful session management (OWASP MASTG, MSTG-AUTH-2). */
export async function journey(origin: string): Promise<void> {
  chapter('The life of a session');
  const app = startApp(origin);

  step('1. The app sends what Ana has typed in.');
  await app.signIn('ana');

  step(
    '2. The bank has checked it, and made a session. Its token is random, and in the memory of the app only.',
  );
  const me = await app.client.fetch('/me');
  expect('the shape of a token', /^sid_[\w-]{70}$/.test(app.wire.copiedToken), true);
  expect('a token in an answer to it', (await me.text()).includes('sid_'), false);

  step('3. The app sends the token with every request: that is how the bank knows who asks.');
  const accounts = await app.client.fetch('/accounts');
  expect('the status', accounts.status, 200);

  step('4. The bank checks at every request that the session is there, and that it is good enough for this.');
  const staff = await app.client.fetch('/staff/users/ben/sessions');
  expect('the status for somebody who is no staff', staff.status, 403);
  await wait(3_200);
  const transfer = await app.sendMoney();
  expect('the status once Ana has confirmed', transfer.status, 200);

  step('5. Ana signs out: the bank deletes the session, and the app discards the token.');
  expect('the sign-out', await app.client.signOut(), true);
  const after = await app.client.fetch('/me');
  expect('the status afterwards', after.status, 401);
}
