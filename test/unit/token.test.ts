import { createHash, createSecretKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { TokenFormat } from '../../src/core/token/token.js';

const unkeyed = new TokenFormat();
const key = (text: string) => createSecretKey(text.padEnd(32, '.'), 'utf8');
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('a token', () => {
  it('is sid_, 48 random bytes and a checksum, all in base64url', () => {
    const { text: token } = unkeyed.mint();
    expect(token).toMatch(/^sid_[A-Za-z0-9_-]{70}$/);
  });

  it('is at rest only as SHA-256 of itself and of its first 16 bytes', () => {
    const { text: token, tokenHash, seriesHash } = unkeyed.mint();
    const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');
    expect(tokenHash).toBe(sha256(token));
    expect(seriesHash).toBe(sha256(Buffer.from(token.slice(4, 68), 'base64url').subarray(0, 16)));
    expect(unkeyed.parse(token)).toEqual({ text: token, tokenHash, seriesHash });
  });

  it('never repeats, and every bit of it is fair', () => {
    const count = 20_000;
    const ones = Array.from({ length: 48 * 8 }, () => 0);
    const seen = new Set<string>();
    for (let made = 0; made < count; made++) {
      const { text: token } = unkeyed.mint();
      seen.add(token);
      Buffer.from(token.slice(4, 68), 'base64url').forEach((byte, at) => {
        for (let bit = 0; bit < 8; bit++) ones[at * 8 + bit]! += (byte >> bit) & 1;
      });
    }
    expect(seen.size).toBe(count);
    // Six standard deviations: once in a million runs for all 384 bits together.
    const tolerance = 6 * Math.sqrt(count / 4);
    for (const each of ones) expect(Math.abs(each - count / 2)).toBeLessThan(tolerance);
  });

  it('keeps its series in its successors, and nothing else', () => {
    const first = unkeyed.mint();
    const second = unkeyed.mintInSeriesOf(first);
    expect(second.seriesHash).toBe(first.seriesHash);
    expect(second.text.slice(26)).not.toBe(first.text.slice(26));
  });

  it('is led by its series to what followed it, where only the hash was known', () => {
    const first = unkeyed.mint();
    const second = unkeyed.mintInSeriesAfter(first.seriesHash);
    const third = unkeyed.mintInSeriesAfter(second.seriesHash);
    expect(unkeyed.seriesAfter(first.seriesHash).slice(0, 2)).toEqual([second.seriesHash, third.seriesHash]);
    expect(unkeyed.seriesAfter(third.seriesHash)).not.toContain(first.seriesHash);
  });
});

describe('reading', () => {
  it('refuses every token with a character changed, dropped or added', () => {
    const { text: token } = unkeyed.mint();
    for (let at = 0; at < token.length; at++) {
      const other = BASE64URL[(BASE64URL.indexOf(token[at] ?? '') + 1) % 64];
      expect(unkeyed.parse(token.slice(0, at) + other + token.slice(at + 1))).toBeNull();
      expect(unkeyed.parse(token.slice(0, at) + token.slice(at + 1))).toBeNull();
      expect(unkeyed.parse(`${token.slice(0, at)}A${token.slice(at)}`)).toBeNull();
    }
  });

  it('refuses whatever is not a token, and never throws', () => {
    fc.assert(fc.property(fc.anything(), (value) => unkeyed.parse(value) === null));
    fc.assert(
      fc.property(
        fc.string({ minLength: 74, maxLength: 74, unit: 'binary' }),
        (text) => unkeyed.parse(text) === null,
      ),
    );
    fc.assert(
      fc.property(
        fc.string({ minLength: 70, maxLength: 70, unit: fc.constantFrom(...BASE64URL) }),
        (text) => {
          expect(new TokenFormat([key('k')], false).parse(`sid_${text}`)).toBeNull();
        },
      ),
    );
  });
});

describe('keys', () => {
  const keyed = new TokenFormat([key('new'), key('old')], false);

  it('accept what any of them signed, and sign with the newest', () => {
    const { text: token } = new TokenFormat([key('old')], false).mint();
    expect(keyed.parse(token)).not.toBeNull();
    expect(new TokenFormat([key('new')], false).parse(keyed.mint().text)).not.toBeNull();
    expect(new TokenFormat([key('old')], false).parse(keyed.mint().text)).toBeNull();
  });

  it('refuse tokens of the right shape that nobody signed', () => {
    expect(keyed.parse(unkeyed.mint().text)).toBeNull();
  });

  it('accept tokens from before there was a key only when told to', () => {
    expect(new TokenFormat([key('new')], true).parse(unkeyed.mint().text)).not.toBeNull();
  });

  it('keep secret what series follows', () => {
    const first = keyed.mint();
    const next = keyed.mintInSeriesAfter(first.seriesHash);
    expect(keyed.seriesAfter(first.seriesHash)).toContain(next.seriesHash);
    expect(unkeyed.seriesAfter(first.seriesHash)).not.toContain(next.seriesHash);
  });
});
