import { describe, expect, it } from '@jest/globals';
import { QueryFailedError } from 'typeorm';
import { LockVanishedError, retryingDeadlocks } from '../../src/store/deadlock.js';

const failure = (code: string) =>
  new QueryFailedError('UPDATE', [], Object.assign(new Error(code), { code }));

/** Fails so many times before it succeeds. */
function failing(times: number, error: Error) {
  const attempt = async () => {
    attempts++;
    if (attempts <= times) throw error;
    return 'done';
  };
  let attempts = 0;
  return { attempt, attempts: () => attempts };
}

describe('a write that is the victim of a deadlock', () => {
  it.each([
    ...['40P01', '40001', 'ER_LOCK_DEADLOCK', 'ER_CHECKREAD'].map(failure),
    new LockVanishedError('gone'),
  ])('is done again (%s)', async (error) => {
    const { attempt, attempts } = failing(3, error);
    expect(await retryingDeadlocks(attempt)).toBe('done');
    expect(attempts()).toBe(4);
  });

  it('is given up in the end', async () => {
    const { attempt, attempts } = failing(Infinity, failure('ER_LOCK_DEADLOCK'));
    await expect(retryingDeadlocks(attempt)).rejects.toThrow('ER_LOCK_DEADLOCK');
    expect(attempts()).toBe(10);
  });

  it.each([failure('23505'), new Error('ER_LOCK_DEADLOCK')])('and no other is done again', async (error) => {
    const { attempt, attempts } = failing(1, error);
    await expect(retryingDeadlocks(attempt)).rejects.toBe(error);
    expect(attempts()).toBe(1);
  });
});
