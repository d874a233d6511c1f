import { describe, expect, it } from '@jest/globals';
import { isSettling, standingOf, unshownWith } from '../../src/core/token/judgement.js';
import type { SessionRecord } from '../../src/core/model/record.js';

const GRACE = 30;
const [current, previous, ancient] = ['c'.repeat(64), 'p'.repeat(64), 'a'.repeat(64)];
const recordWith = (fields: Partial<SessionRecord>) =>
  ({
    tokenHash: current,
    previousHash: previous,
    previousKind: 'renewal',
    rotatedAt: 100,
    unshown: null,
    ...fields,
  }) as SessionRecord;

describe.each([
  ['renewal', null, 1_000, { current: 'current', previous: 'outgoing', ancient: 'rotated' }],
  ['renewal', 500, 529, { current: 'current', previous: 'outgoing', ancient: 'rotated' }],
  ['renewal', 500, 530, { current: 'current', previous: 'reused', ancient: 'reused' }],
  ['rotation', null, 1_000, { current: 'current', previous: 'rotated', ancient: 'rotated' }],
  ['rotation', 500, 529, { current: 'current', previous: 'rotated', ancient: 'rotated' }],
  ['rotation', 500, 530, { current: 'current', previous: 'reused', ancient: 'reused' }],
] as const)('after a %s, confirmed at %s, at %i', (previousKind, confirmedAt, now, standings) => {
  it.each([
    ['the newest token', current, standings.current],
    ['the one before', previous, standings.previous],
    ['one from before that', ancient, standings.ancient],
  ])('judges %s', (_name, hash, standing) => {
    expect(standingOf(recordWith({ previousKind, confirmedAt }), hash, now, now, GRACE)).toBe(standing);
  });
});

it('excuses a token for the grace after the rotation, also when the new one was confirmed before it', () => {
  expect(standingOf(recordWith({ rotatedAt: 600, confirmedAt: 500 }), ancient, 629, 629, GRACE)).toBe(
    'rotated',
  );
});

it('excuses a request that was on its way all the time', () => {
  const record = recordWith({ confirmedAt: 500 });
  expect(standingOf(record, previous, 10_000, 529, GRACE)).toBe('rotated');
  expect(standingOf(record, previous, 10_000, 530, GRACE)).toBe('reused');
});

it('takes a token as settled once nothing before it can be under way', () => {
  expect(isSettling(recordWith({ confirmedAt: null }), 1_000, GRACE)).toBe(true);
  expect(isSettling(recordWith({ confirmedAt: 500 }), 529, GRACE)).toBe(true);
  expect(isSettling(recordWith({ confirmedAt: 500 }), 530, GRACE)).toBe(false);
  expect(isSettling(recordWith({ confirmedAt: 500, previousHash: null }), 500, GRACE)).toBe(false);
});

describe('a token that was replaced before anybody showed it', () => {
  const hashes = Array.from({ length: 9 }, (_, index) => String(index).repeat(64));
  const unshownAfter = (replaced: readonly string[]) => {
    let unshown: string | null = null;
    for (const tokenHash of replaced) unshown = unshownWith(recordWith({ tokenHash, unshown }));
    return unshown;
  };

  it('is never a sign of theft, and never accepted', () => {
    const record = recordWith({ confirmedAt: 500, unshown: unshownAfter([ancient]) });
    expect(standingOf(record, ancient, 10_000, 10_000, GRACE)).toBe('rotated');
    expect(standingOf(record, previous, 10_000, 10_000, GRACE)).toBe('reused');
  });

  it('is known by the beginning of its hash, among the last eight', () => {
    const unshown = unshownAfter(hashes);
    expect(unshown).toBe(
      hashes
        .slice(1)
        .toReversed()
        .map((hash) => hash.slice(0, 16))
        .join(','),
    );
    const record = recordWith({ confirmedAt: 500, unshown });
    const standings = hashes.map((hash) => standingOf(record, hash, 10_000, 10_000, GRACE));
    expect(standings).toEqual(['reused', ...Array.from({ length: 8 }, () => 'rotated')]);
  });
});
