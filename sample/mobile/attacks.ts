import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { crc32 } from 'node:zlib';
import { type App, startApp } from './app.js';
import { chapter, detail, expect, step } from './report.js';
import { summaryOf } from './wire.js';

/** Improper session handling (OWASP Mobile Top 10, M9): four ways in, and what comes of them. */
export async function attacks(origin: string): Promise<void> {
  chapter('Four attacks');
  await useAfterSignOut(origin);
  await useAfterIdleTime(origin);
  await useAfterChange(origin);
  await guess(origin);
}

async function useAfterSignOut(origin: string): Promise<void> {
  step('1. Ana has signed out. A thief has a copy of her token: did only the app sign out?');
  const app = await signedIn(origin);
  const copy = app.wire.copiedToken;
  await app.client.signOut();
  await refused(origin, copy, '401 session_invalid');
}

async function useAfterIdleTime(origin: string): Promise<void> {
  step('2. Ana has left her telephone on a table, signed in. Does her session ever end?');
  const app = await signedIn(origin);
  const copy = app.wire.copiedToken;
  const events = new EventEmitter();
  app.client.on('ended', ({ reason }) => events.emit(reason));
  await once(events, 'idle', { signal: AbortSignal.timeout(60_000) });
  await refused(origin, copy, '401 session_expired');
}

async function useAfterChange(origin: string): Promise<void> {
  step(
    '3. Ana confirms her password, then Ben signs in on the same telephone. Do the tokens from before still work?',
  );
  const app = await signedIn(origin);
  const beforeStepUp = app.wire.copiedToken;
  await app.client.signIn('/auth/step-up', { password: 'ana-demo-password' });
  await refused(origin, beforeStepUp, '401 session_invalid');
  const me = await app.client.fetch('/me');
  expect('the status for Ana herself', me.status, 200);
  const beforeBen = app.wire.copiedToken;
  await app.signIn('ben');
  await refused(origin, beforeBen, '401 session_invalid');
  await app.client.signOut();
}

async function guess(origin: string): Promise<void> {
  step('4. The thief has no token, and guesses.');
  const app = await signedIn(origin);
  const mine = app.wire.copiedToken;
  const { session } = (await (await app.client.fetch('/me')).json()) as {
    session: { id: string; userId: string };
  };
  const last = mine.at(-1) === 'A' ? 'B' : 'A';
  const guesses = {
    "Ana's user id": session.userId,
    'the id of her session': session.id,
    'her token with another letter at its end': mine.slice(0, -1) + last,
    'a token of the right shape, checksum included': forgedToken(),
  };
  for (const [what, token] of Object.entries(guesses))
    await refused(origin, token, '401 session_invalid', what);
  const more = await Promise.all(Array.from({ length: 50 }, () => show(origin, forgedToken())));
  detail(`  50 more of that shape: ${more.filter(({ ok }) => ok).length} let in, of 2^256 that there are.`);
  expect(
    'guesses that were let in',
    more.some(({ ok }) => ok),
    false,
  );
  await app.client.signOut();
}

/** An app on which Ana has signed in, and has looked at something. */
async function signedIn(origin: string): Promise<App> {
  const app = startApp(origin);
  await app.signIn('ana');
  const me = await app.client.fetch('/me');
  expect('the status for Ana', me.status, 200);
  return app;
}

/** What the thief is told. */
async function refused(origin: string, token: string, expected: string, what = 'the copy'): Promise<void> {
  const answer = await summaryOf(await show(origin, token));
  detail(`  The thief shows ${what}: ${answer}`);
  expect(`the answer to ${what}`, answer, expected);
}

function show(origin: string, token: string): Promise<Response> {
  return fetch(`${origin}/me`, { headers: { Authorization: `Bearer ${token}` } });
}

function forgedToken(): string {
  const unsigned = `sid_${randomBytes(48).toString('base64url')}`;
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(unsigned));
  return unsigned + checksum.toString('base64url');
}
