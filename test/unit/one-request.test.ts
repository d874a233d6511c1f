import { beforeEach, expect, it, jest } from '@jest/globals';
import { InMemorySessionStore } from 'nestjs-sessions/testing';
import { resolveOptions } from '../../src/core/options/resolve-options.js';
import { SessionCore } from '../../src/core/session-core.js';
import { TestClock } from '../../src/testing/test-clock.js';

/** A store that takes its time, by the clock. */
class SlowStore extends InMemorySessionStore {
  takes = 0;

  constructor(private readonly clock: TestClock) {
    super();
  }

  override async findBySeries(seriesHash: string) {
    const record = await super.findBySeries(seriesHash);
    this.clock.advance(this.takes);
    return record;
  }
}

const clock = new TestClock();
const read = jest.fn(clock.now);
let store: SlowStore;
let core: SessionCore;
let token: string;

beforeEach(async () => {
  store = new SlowStore(clock);
  core = new SessionCore(resolveOptions({ clock: read, timeouts: { idle: '10m', renewal: '5m' } }), store, {
    onOutage: (cause) => expect(cause).toBeUndefined(),
    onRecovery: () => {},
    onSubscriberError: () => {},
  });
  const begun = await core.signIn.begin();
  ({ token } = await core.signIn.create({ principal: { userId: 'ana' }, begun }));
  await core.validation.validate(token);
});

it('asks for the time once, after the record is there, and for the policy once', async () => {
  const policyOf = jest.spyOn(core.policy, 'of');
  clock.advance('6m'); // activity is written, and the token is due for renewal
  store.takes = 1_000;
  read.mockClear();
  const arrivedAt = clock.now();
  const accepted = await core.validation.validate(token, { arrivedAt });
  expect(accepted).toMatchObject({ now: arrivedAt + 1_000, isRenewalDue: true });
  expect(accepted.record?.lastSeenAt).toBe(arrivedAt + 1_000);
  expect(read).toHaveBeenCalledTimes(1);
  expect(policyOf).toHaveBeenCalledTimes(1);
});

it('does not accept what expires while it waits for the record', async () => {
  clock.advance('9m');
  store.takes = 120_000;
  expect(await core.validation.validate(token, { arrivedAt: clock.now() })).toMatchObject({
    reason: 'expired',
  });
});
