import { afterAll, expect, it, jest } from '@jest/globals';

// Before anything imports it: modules keep the functions that they find.
const crypto = process.getBuiltinModule('node:crypto');
const compared = jest.spyOn(crypto, 'timingSafeEqual');
const { standingOf } = await import('../../src/core/token/judgement.js');
afterAll(() => compared.mockRestore());

const HASH = '0123456789abcdef'.repeat(4);
const PREVIOUS = 'fedcba9876543210'.repeat(4);
const record = {
  tokenHash: HASH,
  previousHash: PREVIOUS,
  previousKind: 'renewal',
  confirmedAt: null,
  rotatedAt: 0,
} as never;
const changedAt = (hash: string, at: number) =>
  `${hash.slice(0, at)}${hash[at] === '0' ? '1' : '0'}${hash.slice(at + 1)}`;

it('a hash counts with each of its 64 characters, and is compared in constant time', () => {
  expect(standingOf(record, HASH, 1, 1, 0)).toBe('current');
  expect(standingOf(record, PREVIOUS, 1, 1, 0)).toBe('outgoing');
  for (let at = 0; at < 64; at++) {
    for (const hash of [HASH, PREVIOUS]) {
      compared.mockClear();
      expect(standingOf(record, changedAt(hash, at), 1, 1, 0)).toBe('rotated');
      const lengths = compared.mock.calls.map(([one, other]) => [one.byteLength, other.byteLength]);
      expect(lengths).toEqual([
        [64, 64],
        [64, 64],
      ]);
    }
  }
});

it('a part of a hash is no hash', () => {
  for (const part of ['', HASH.slice(0, 63), `${HASH}0`, HASH.toUpperCase()]) {
    expect(standingOf(record, part, 1, 1, 0)).toBe('rotated');
  }
});
