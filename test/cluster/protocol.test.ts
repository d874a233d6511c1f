import { describe, expect, it } from '@jest/globals';
import { ALL_SAFEGUARDS, type Configuration, explore, type Safeguards } from './protocol-model.js';

/** `TEST_MODEL=large` looks at much larger ones; that takes hours, and gigabytes. */
const IS_LARGE = process.env['TEST_MODEL'] === 'large';

const SMALL: Readonly<Record<string, Configuration>> = {
  'one verb, two nodes': { verbs: [0], nodes: 2, joins: 1 },
  'a node that shuts down': { verbs: [0], nodes: 2, joins: 1, leaving: true },
  'a verb on a node that joins twice': { verbs: [0], nodes: 1, joins: 2 },
  'a second verb that finds nothing': { verbs: [0, 0], nodes: 1, joins: 1, lastFindsNothing: true },
};
const LARGE: Readonly<Record<string, Configuration>> = {
  'two nodes that join twice': { verbs: [0], nodes: 2, joins: 2 },
  'two verbs on two nodes': { verbs: [0, 1], nodes: 2, joins: 1 },
  'a second verb elsewhere that finds nothing': { verbs: [0, 1], nodes: 2, joins: 1, lastFindsNothing: true },
  'a fail-over that loses rows': { verbs: [0], nodes: 2, joins: 2, failover: 'loses' },
};

it.each(Object.entries(IS_LARGE ? { ...SMALL, ...LARGE } : SMALL))('holds in all states: %s', (_, configuration) => {
  const outcome = explore(configuration, ALL_SAFEGUARDS, IS_LARGE ? 50_000_000 : 1_000_000);
  expect(outcome).toMatchObject({ holds: true });
});

describe('without it, a node answers from a state before a verb that has returned:', () => {
  const two: Configuration = { verbs: [0], nodes: 2, joins: 1 };
  const removed: readonly [keyof Safeguards, Configuration][] = [
    ['membersAfterCommit', two],
    ['announcedAfterCommit', two],
    ['forgetsFirst', two],
    ['forgetsItself', two],
    ['voidsReads', two],
    ['emptiesOnJoin', { verbs: [0], nodes: 2, joins: 1 }],
    ['evicts', two],
    ['waitsForLease', two],
    ['checksLease', two],
    ['leaseFromAsking', two],
    ['renewalAsks', two],
    ['acknowledgesByKey', { verbs: [0, 0], nodes: 2, joins: 1 }],
    ['announcesNothingFound', { verbs: [0, 0], nodes: 2, joins: 1, lastFindsNothing: true }],
    ['forgetsBeforeLeaving', { ...two, leaving: true }],
    ['asksForServer', { ...two, failover: 'loses' }],
  ];

  it('each safeguard is removed once', () => {
    expect(removed.map(([name]) => name).toSorted()).toEqual(Object.keys(ALL_SAFEGUARDS).toSorted());
  });

  it.each(removed)('%s', (name, configuration) => {
    const outcome = explore(configuration, { ...ALL_SAFEGUARDS, [name]: false }, 3_000_000);
    expect(outcome).toMatchObject({ holds: false });
  });
});
