import { expect, it } from '@jest/globals';
import { open, seal } from '../../src/core/token/seal.js';
import { TokenFormat } from '../../src/core/token/token.js';

const tokens = new TokenFormat();
const [old, next, other] = [tokens.mint(), tokens.mint(), tokens.mint()];
const binding = { id: 'id', seriesHash: 'series', oldHash: old.tokenHash, newHash: next.tokenHash };

it('opens to a holder of the old token', () => {
  expect(open(seal(next.text, old.text, binding), old.text, binding)).toBe(next.text);
});

it('is different every time, and fits its column', () => {
  const sealed = seal(next.text, old.text, binding);
  expect(seal(next.text, old.text, binding)).not.toBe(sealed);
  expect(sealed.length).toBeLessThanOrEqual(255);
});

it('opens to nobody else, for no other record, and not when it was changed', () => {
  const sealed = seal(next.text, old.text, binding);
  expect(open(sealed, other.text, binding)).toBeNull();
  expect(open(sealed, old.tokenHash, binding)).toBeNull();
  for (const field of ['id', 'seriesHash', 'oldHash', 'newHash'] as const) {
    expect(open(sealed, old.text, { ...binding, [field]: 'another' })).toBeNull();
  }
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
    const opened = open(changed, old.text, binding);
    // The last character of base64url may have bits that no byte is made of.
    expect(opened === null || at === sealed.length - 1).toBe(true);
  }
  for (const broken of ['', 'A', sealed.slice(0, 20), sealed.slice(0, -4)]) {
    expect(open(broken, old.text, binding)).toBeNull();
  }
});
