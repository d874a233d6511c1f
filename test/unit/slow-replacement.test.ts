import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { InMemorySessionStore } from 'nestjs-sessions/testing';
import { STORE_PATIENCE } from '../../src/core/outage/time-budgets.js';
import { SessionService } from '../../src/session.service.js';
import { coreOf } from '../support/store.js';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** Each step within the patience, and both together beyond it. */
const SLOW = 0.6 * STORE_PATIENCE;

class SlowStore extends InMemorySessionStore {
  isSlow = false;
  override async findById(id: string) {
    await this.delay();
    return super.findById(id);
  }
  override async insert(...args: Parameters<InMemorySessionStore['insert']>) {
    await this.delay();
    return super.insert(...args);
  }
  private async delay(): Promise<void> {
    if (this.isSlow) await new Promise((resolve) => setTimeout(resolve, SLOW));
  }
}

it('a sign-in of another user that was answered 503 ends nothing afterwards, and leaves nothing behind', async () => {
  const store = new SlowStore();
  const service = new SessionService(coreOf(store, {}));
  const { session, token } = await service.create({ userId: 'ana' });
  store.isSlow = true;
  const refused = expect(service.authenticate(session.id, { userId: 'bob' })).rejects.toMatchObject({
    status: 503,
  });
  await jest.advanceTimersByTimeAsync(10 * STORE_PATIENCE);
  await refused;
  store.isSlow = false;
  expect((await service.validate(token)).session?.userId).toBe('ana');
  expect(await service.list('bob')).toEqual([]);
});
