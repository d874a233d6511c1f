import { describe, expect, it } from '@jest/globals';
import { sessionStoreContract } from 'nestjs-sessions/testing';
import { admittingFaults } from './faults/admitting-faults.js';
import { brokenStore, type Fault, type Faults } from './faults/broken-store.js';
import { changingFaults } from './faults/changing-faults.js';
import { deletingFaults } from './faults/deleting-faults.js';
import { readingFaults } from './faults/reading-faults.js';
import { rolesFaults } from './faults/roles-faults.js';
import { touchingFaults } from './faults/touching-faults.js';

const FAULTS: Faults = {
  ...readingFaults,
  ...changingFaults,
  ...touchingFaults,
  ...admittingFaults,
  ...rolesFaults,
  ...deletingFaults,
};

async function failuresWith({ fault }: Pick<Fault, 'fault'>): Promise<Map<string, Error>> {
  const failures = new Map<string, Error>();
  for (const { name, run } of sessionStoreContract(async () => ({ store: brokenStore(fault) }))) {
    await run().catch((error: Error) => failures.set(name, error));
  }
  return failures;
}

describe('a store that', () => {
  const found = new Set<string>();

  it.each(Object.entries(FAULTS))('%s is found out', async (_, fault) => {
    const failures = await failuresWith(fault);
    for (const name of failures.keys()) found.add(name);
    expect([...failures.keys()]).toEqual(expect.arrayContaining([...fault.caughtBy]));
  });

  it('breaks any promise is found out: every case has failed', () => {
    const cases = sessionStoreContract(async () => ({ store: brokenStore(() => ({})) }));
    expect(cases.filter(({ name }) => !found.has(name))).toEqual([]);
  });
});

it('a failure says what the contract wants, and what was got', async () => {
  const failures = await failuresWith({
    fault: (sound) => ({ findLive: async (...args) => (await sound.findLive(...args)).toReversed() }),
  });
  const error = failures.get('findLive tells the live sessions of a user, newest first');
  expect(error).toMatchObject({
    name: 'AssertionError',
    actual: expect.any(Array),
    expected: expect.any(Array),
  });
  expect(error?.message).toMatch(
    /^The contract wants: findLive goes by createdAt, newest first.*\n {2}wanted: \[[^]*\n {2}got: {4}\[/,
  );
});

it('the store is disposed of, also after a failure', async () => {
  let disposals = 0;
  const create = async () => ({
    store: brokenStore(() => ({ findById: () => Promise.reject(new Error('down')) })),
    dispose: async () => void disposals++,
  });
  const cases = sessionStoreContract(create);
  const results = await Promise.allSettled(cases.map(({ run }) => run()));
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['fulfilled', 'rejected']));
  expect(disposals).toBe(cases.length);
});
