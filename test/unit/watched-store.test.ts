import { expect, it, jest } from '@jest/globals';
import { WatchedStore } from '../../src/core/outage/watched-store.js';
import { StoreUnavailableError } from '../../src/core/model/errors.js';
import type { SessionStore } from '../../src/core/model/store.js';

it('takes a store that throws at once for as unavailable as one that rejects', async () => {
  const onOutage = jest.fn();
  const fails = (): never => {
    throw new Error('not connected');
  };
  const rejects = () => Promise.reject(new Error('not connected'));
  const store = { findById: fails, touch: fails, delete: rejects } as unknown as SessionStore;
  const watched = new WatchedStore(store, { onOutage, onRecovery: () => {} });
  const calls = [watched.findById('id'), watched.touch({} as never, false), watched.delete('id')];
  for (const call of calls) await expect(call).rejects.toThrow(StoreUnavailableError);
  expect(onOutage).toHaveBeenCalledTimes(1);
});
