import { describe, expect, it } from '@jest/globals';
import { ALL_SAFEGUARDS, type Configuration, explore, type Safeguards } from './protocol-model.js';

/**
 * `TEST_MODEL=3000000` looks at larger ones too, and at so many states of each, those that are reached in fewest steps
 * first: a million take some minutes, and 1.5 GB.
 */
const STATES = Number(process.env['TEST_MODEL'] ?? 0);

const ONE: Configuration = { verbs: [-1], nodes: 1, joins: 1 };
const SMALL: Readonly<Record<string, Configuration>> = {
  'a verb elsewhere': { ...ONE, joins: 2 },
  'a verb on the node itself, which may shut down': { ...ONE, verbs: [0], joins: 2, leaving: true },
  'a second verb that finds nothing': { ...ONE, verbs: [-1, -1], lastFindsNothing: true },
  'a fail-over that loses rows': { ...ONE, failover: 'loses' },
};
const LARGE: Readonly<Record<string, Configuration>> = {
  'two verbs': { ...ONE, verbs: [-1, 0] },
  'a fail-over that loses rows of nodes that join twice': { ...ONE, joins: 2, failover: 'loses' },
  'two nodes': { verbs: [0], nodes: 2, joins: 1, leaving: true },
  'two nodes that join twice': { verbs: [0], nodes: 2, joins: 2 },
  'two verbs on two nodes': { verbs: [0, 1], nodes: 2, joins: 1 },
};

it.each(Object.entries(SMALL))('holds in all states: %s', (_, configuration) => {
  expect(explore(configuration)).toMatchObject({ holds: true });
});

const LARGE_ONES = STATES === 0 ? [] : Object.entries(LARGE);
LARGE_ONES.forEach(([name, configuration]) =>
  it(`holds in as many states as were to be looked at: ${name}`, () => {
    const { holds, states } = explore(configuration, ALL_SAFEGUARDS, STATES);
    process.stderr.write(`${name}: ${states} states, ${holds === true ? 'which are all' : 'of more'}\n`);
    expect(holds).not.toBe(false);
  }),
);

describe('without it, a node answers from a state before a verb that has returned:', () => {
  const removed: readonly [keyof Safeguards, Configuration][] = [
    ['membersAfterCommit', ONE],
    ['announcedAfterCommit', ONE],
    ['forgetsFirst', ONE],
    ['forgetsItself', { ...ONE, verbs: [0] }],
    ['voidsReads', ONE],
    ['emptiesOnJoin', { ...ONE, joins: 2 }],
    ['evicts', ONE],
    ['marksEvicted', { ...ONE, verbs: [-1, -1] }],
    ['waitsForLease', ONE],
    ['checksLease', ONE],
    ['leaseFromAsking', ONE],
    ['renewalAsks', ONE],
    ['acknowledgesByKey', { ...ONE, verbs: [-1, -1] }],
    ['announcesNothingFound', { ...ONE, verbs: [-1, -1], lastFindsNothing: true }],
    ['forgetsBeforeLeaving', { ...ONE, leaving: true }],
    ['asksForServer', { ...ONE, failover: 'loses' }],
  ];

  it('each safeguard is removed once', () => {
    expect(removed.map(([name]) => name).toSorted()).toEqual(Object.keys(ALL_SAFEGUARDS).toSorted());
  });

  it.each(removed)('%s', (name, configuration) => {
    expect(explore(configuration, { ...ALL_SAFEGUARDS, [name]: false })).toMatchObject({ holds: false });
  });
});
