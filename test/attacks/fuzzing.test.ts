import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parseCookie } from 'cookie';
import * as fc from 'fast-check';
import { parseData, serializeData } from '../../src/core/model/data.js';
import { InvalidArgumentError, SessionOptionsError } from '../../src/core/model/errors.js';
import { resolveOptions } from '../../src/core/options/resolve-options.js';
import { TokenFormat } from '../../src/core/token/token.js';
import { type Credentials, readCredentials } from '../../src/http/credentials.js';
import { checksumOf } from '../support/attack-token.js';

const RUNS = { numRuns: 2_000 };
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const NAME = 'sid';

describe('the token parser', () => {
  const prefix = fc.oneof(
    { weight: 8, arbitrary: fc.constant('sid_') },
    fc.constantFrom('sid', 'SID_', 'sid-', 'sit_', ''),
  );
  const body = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.string({ minLength: 64, maxLength: 64, unit: fc.constantFrom(...BASE64URL) }),
    },
    fc.string({ minLength: 60, maxLength: 68 }),
  );
  const checksum = fc.oneof(
    { weight: 8, arbitrary: fc.constant('right' as const) },
    fc.string({ minLength: 5, maxLength: 7, unit: fc.constantFrom(...BASE64URL) }),
  );

  it('takes exactly what has the prefix, 64 characters and their checksum', () => {
    const format = new TokenFormat();
    let taken = 0;
    fc.assert(
      fc.property(prefix, body, checksum, (start, middle, end) => {
        const unsigned = start + middle;
        const text = unsigned + (end === 'right' ? checksumOf(unsigned) : end);
        const isToken = /^sid_[A-Za-z0-9_-]{64}$/.test(unsigned) && text.slice(68) === checksumOf(unsigned);
        const read = format.parse(text);
        expect(read !== null).toBe(isToken);
        if (read !== null) expect(read.text).toBe(text);
        taken += Number(isToken);
      }),
      RUNS,
    );
    expect(taken).toBeGreaterThan(RUNS.numRuns / 4);
  });

  it('with a key takes nothing that anybody can make without it', () => {
    const format = new TokenFormat([createSecretKey('k'.repeat(32), 'utf8')], false);
    fc.assert(
      fc.property(body, checksum, (middle, end) => {
        const unsigned = `sid_${middle}`;
        expect(format.parse(unsigned + (end === 'right' ? checksumOf(unsigned) : end))).toBeNull();
      }),
      RUNS,
    );
  });
});

describe('the reader of credentials', () => {
  const read = (headers: Record<string, string>, rawHeaders: string[] = []): Credentials =>
    readCredentials({ headers, rawHeaders } as never, NAME);

  const crumb = fc.oneof(
    fc
      .tuple(fc.constantFrom(NAME, 'Sid', 'sid2', 'xsid', '', ' sid ', 'sid\t'), fc.string({ maxLength: 12 }))
      .map(([name, value]) => `${name}=${value}`),
    fc.string({ maxLength: 12 }),
    fc.constantFrom(NAME, '=', ';', 'sid==', 'sid="a"', '__proto__=a', 'sid=%73'),
  );
  const header = fc
    .tuple(fc.array(crumb, { maxLength: 6 }), fc.constantFrom('; ', ';', ' ;\t'))
    .map(([crumbs, separator]) => crumbs.join(separator));

  it('reads cookies as the package `cookie` does, but takes none of several', () => {
    const seen = { none: 0, cookie: 0, ambiguous: 0 };
    fc.assert(
      fc.property(header, (text) => {
        const ours = read({ cookie: text });
        const theirs = parseCookie(text, { decode: (value) => value })[NAME];
        expect(ours.kind === 'none').toBe(theirs === undefined);
        if (ours.kind === 'cookie') expect(ours.token).toBe(theirs);
        if (ours.kind === 'ambiguous') expect(text.split(NAME).length).toBeGreaterThan(2);
        seen[ours.kind as keyof typeof seen]++;
      }),
      RUNS,
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
  });

  it('never throws, whatever the headers are, and takes a bearer token only from its own scheme', () => {
    const scheme = fc.constantFrom('Bearer ', 'bearer ', 'Bearer', 'Basic ', 'BearerX ', '');
    fc.assert(
      fc.property(
        scheme,
        fc.string({ unit: 'binary' }),
        fc.option(header, { nil: undefined }),
        (word, rest, cookie) => {
          const authorization = word + rest;
          const ours = read({ authorization, ...(cookie !== undefined && { cookie }) });
          expect(ours.kind === 'bearer').toBe(/^bearer(?: |$)/i.test(authorization));
        },
      ),
      RUNS,
    );
  });

  it('takes no token of two `Authorization` headers, in whatever letters', () => {
    const name = fc.constantFrom('Authorization', 'authorization', 'AUTHORIZATION');
    fc.assert(
      fc.property(name, name, fc.string(), (one, other, value) => {
        expect(read({ authorization: value }, [one, value, 'Host', 'a', other, value]).kind).toBe(
          'ambiguous',
        );
      }),
    );
  });
});

describe('the resolver of options', () => {
  const OPTIONS = Object.keys(resolveOptions()).concat(
    'securityLevel',
    'cookie',
    'secret',
    'dataSource',
    'entity',
  );

  function resolvesOrSays(options: unknown): void {
    try {
      expect(resolveOptions(options as never).clock).toBeInstanceOf(Function);
    } catch (error) {
      expect(error).toBeInstanceOf(SessionOptionsError);
      const { option, message, fix } = error as SessionOptionsError;
      expect(message).toContain(`\`${option}\``);
      expect(fix).not.toBe('');
    }
  }

  it('takes anything, and resolves it or says which option is wrong', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        resolvesOrSays,
      ),
      RUNS,
    );
  });

  it('takes anything for the value of any option', () => {
    const value = fc.oneof(
      fc.anything({ withBigInt: true, withNullPrototype: true, withSet: true }),
      fc.constantFrom(0, -1, NaN, Infinity, 1e21, '15m', '1e9d', '', 'lax', true, () => 1, Symbol('a'), 10n),
      fc.dictionary(
        fc.constantFrom('idle', 'absolute', 'renewal', 'keys', 'every', 'includes', '__proto__', 'name'),
        fc.anything(),
      ),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...OPTIONS), value, { maxKeys: 3 }), resolvesOrSays),
      RUNS,
    );
  });
});

describe('session data', () => {
  it('is kept as JSON keeps it, or refused with the path to what is wrong', () => {
    const LIMIT = 2_000;
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withNullPrototype: true,
          withSparseArray: true,
          withTypedArray: true,
        }),
        (data) => {
          try {
            const text = serializeData(data, LIMIT);
            expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LIMIT);
            expect(serializeData(parseData(text), LIMIT)).toBe(text);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidArgumentError);
            expect((error as InvalidArgumentError).message).toContain('`data');
          }
        },
      ),
      RUNS,
    );
  });

  it('of plain JSON comes back as it was', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ noUnicodeString: false })), (data) => {
        fc.pre(!JSON.stringify(data).includes('__proto__'));
        expect(JSON.stringify(parseData(serializeData(data, 1e6)))).toBe(JSON.stringify(data));
      }),
      RUNS,
    );
  });
});
