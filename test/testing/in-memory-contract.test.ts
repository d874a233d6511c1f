import { describe, it } from '@jest/globals';
import { InMemorySessionStore, sessionStoreContract } from 'nestjs-sessions/testing';

describe('InMemorySessionStore keeps the contract', () => {
  const create = async () => ({ store: new InMemorySessionStore() });
  for (const { name, run } of sessionStoreContract(create)) it(name, run);
});
