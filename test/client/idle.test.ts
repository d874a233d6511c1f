import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { connect, FIFTEEN_MINUTES, SIGNED_IN_AT } from './wire.js';

beforeEach(() => {
  // The clock of the telephone is a day wrong: it is no matter.
  jest.useFakeTimers({ now: Date.parse(SIGNED_IN_AT) + 86_400_000, doNotFake: ['setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

it('the token is discarded when nothing was sent for as long as the server allows', async () => {
  const { events, signIn, tokenInUse } = connect();
  await signIn('T1');
  jest.advanceTimersByTime(FIFTEEN_MINUTES - 1);
  expect(events).toHaveLength(1);
  jest.advanceTimersByTime(1);
  expect(events.at(-1)).toEqual({ type: 'ended', reason: 'idle' });
  expect(tokenInUse()).toBeNull();
});

it('every request starts the idle clock anew', async () => {
  const { events, signIn, tokenInUse } = connect();
  await signIn('T1');
  for (let round = 0; round < 5; round++) {
    jest.advanceTimersByTime(FIFTEEN_MINUTES - 1);
    expect(tokenInUse()).toBe('T1');
  }
  jest.advanceTimersByTime(FIFTEEN_MINUTES);
  expect(events.at(-1)).toEqual({ type: 'ended', reason: 'idle' });
});

it('the option idleTimeout takes the place of what the answer says', async () => {
  const { events, signIn, tokenInUse } = connect({ idleTimeout: 1_000 });
  await signIn('T1');
  jest.advanceTimersByTime(999);
  expect(tokenInUse()).toBe('T1');
  jest.advanceTimersByTime(1_000);
  expect(events.at(-1)).toEqual({ type: 'ended', reason: 'idle' });
});

it('a token that is too old is not sent, even though the timer stood still while the telephone slept', async () => {
  const { events, signIn, tokenInUse } = connect();
  await signIn('T1');
  jest.setSystemTime(Date.now() + FIFTEEN_MINUTES);
  expect(tokenInUse()).toBeNull();
  expect(events.at(-1)).toEqual({ type: 'ended', reason: 'idle' });
});

it('a step-up starts the clock of the new session, and an old timer does not end it', async () => {
  const { events, signIn } = connect();
  await signIn('T1');
  jest.advanceTimersByTime(FIFTEEN_MINUTES - 1);
  await signIn('T2');
  jest.advanceTimersByTime(FIFTEEN_MINUTES - 1);
  expect(events.map(({ type }) => type)).toEqual(['signed-in', 'signed-in']);
});

it.each([Infinity, 2 ** 40])(
  'timeouts longer than timers can be do not fire at once (%p)',
  async (idleTimeout) => {
    const { events, signIn, tokenInUse } = connect({ idleTimeout });
    await signIn('T1');
    jest.advanceTimersByTime(7 * 86_400_000);
    expect(tokenInUse()).toBe('T1');
    expect(events).toHaveLength(1);
  },
);
