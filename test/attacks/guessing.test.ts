import { createSecretKey, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GuessingOptions } from 'nestjs-sessions';
import { TokenFormat } from '../../src/core/token/token.js';
import { GuessWatch } from '../../src/http/guess-watch.js';
import { AttackClient, WAYS } from '../support/attack-client.js';
import { expectNoFaults } from '../support/attack-faults.js';
import { heapInUse } from '../support/attack-heap.js';
import { bytesOf, forgeToken } from '../support/attack-token.js';
import { Wire } from '../support/attack-wire.js';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer } from '../support/sign-in.js';
import { appsOn, countRows, sharedAppOn } from '../support/test-app.js';

const controllers = [AccountController];
const format = new TokenFormat();
const KEY = 'k'.repeat(32);

expectNoFaults();

describe('a million tokens', () => {
  const COUNT = 1_000_000;
  const BYTES = 48;
  const counts = new Uint32Array(BYTES * 256);
  // 64 bits of the series and of the secret: that any two are the same happens once in ten million runs.
  const series = new BigUint64Array(COUNT);
  const secrets = new BigUint64Array(COUNT);
  beforeAll(() => {
    for (let made = 0; made < COUNT; made++) {
      const bytes = Buffer.from(format.mint().text.slice(4, 68), 'base64url');
      for (let at = 0; at < BYTES; at++) counts[at * 256 + bytes[at]!]!++;
      series[made] = bytes.readBigUInt64LE(0);
      secrets[made] = bytes.readBigUInt64LE(16);
    }
  });

  it('are all different, in the series and in the secret', () => {
    for (const values of [series, secrets]) {
      values.sort();
      let repeats = 0;
      for (let at = 1; at < COUNT; at++) repeats += Number(values[at] === values[at - 1]);
      expect(repeats).toBe(0);
    }
  });

  it('are fair in each of their 384 bits', () => {
    // Six standard deviations: once in a million runs for all the bits together.
    const tolerance = 6 * Math.sqrt(COUNT / 4);
    for (let at = 0; at < BYTES; at++) {
      for (let bit = 0; bit < 8; bit++) {
        let ones = 0;
        for (let value = 0; value < 256; value++) if ((value >> bit) & 1) ones += counts[at * 256 + value]!;
        expect(Math.abs(ones - COUNT / 2)).toBeLessThan(tolerance);
      }
    }
  });

  it('have each value of each of their bytes equally often, by the chi-square test', () => {
    // 255 degrees of freedom: mean 255, variance 510; six standard deviations, and a skew to the right.
    const highest = 255 + 8 * Math.sqrt(510);
    for (let at = 0; at < BYTES; at++) {
      let chiSquare = 0;
      for (let value = 0; value < 256; value++) {
        chiSquare += (counts[at * 256 + value]! - COUNT / 256) ** 2 / (COUNT / 256);
      }
      expect(chiSquare).toBeLessThan(highest);
      // What is too even is no chance either.
      expect(chiSquare).toBeGreaterThan(255 - 6 * Math.sqrt(510));
    }
  });
});

describe.each(WAYS)('on $platform by $carrier', ({ platform, carrier }) => {
  const start = sharedAppOn(platform, { controllers });
  const client = new AttackClient(start, carrier);

  it('an answer says nothing of how near a guess was', async () => {
    const app = start();
    const { token } = await app.sessions.create({ userId: 'ana' });
    const { series, secret } = bytesOf(token);
    const guesses = [
      randomBytes(48),
      Buffer.concat([series, randomBytes(32)]),
      Buffer.concat([series, secret.subarray(0, 31), randomBytes(1)]),
      Buffer.concat([randomBytes(16), secret]),
    ].map(forgeToken);
    const seen = new Set<string>();
    for (const guess of guesses) {
      const { status, headers, text } = await client.get('/me', guess);
      const { date: _, ...others } = headers as Record<string, string>;
      seen.add(JSON.stringify([status, others, text]));
    }
    expect(seen.size).toBe(1);
    expect(await client.try(token)).toBe('200');
  });

  it('a burst of guesses is noticed, and told once', async () => {
    const app = start();
    for (let guess = 0; guess < 30; guess++) await client.get('/me', format.mint().text).expect(401);
    const suspicions = app.events.filter(({ type }) => type === 'guessing-suspected');
    expect(suspicions).toHaveLength(1);
  });
});

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = sharedAppOn(platform, { controllers, options: { guessing: { attempts: 50 } } });
  const startAnother = appsOn(platform);
  const startOwn = (guessing: GuessingOptions) => startAnother({ controllers, options: { guessing } });
  const startKeyed = sharedAppOn(platform, { controllers, options: { secret: KEY } });
  let wires: Wire[];
  beforeAll(() => {
    wires = [start(), startKeyed()].map(({ app }) => new Wire(app));
  });
  afterAll(() => wires.forEach((wire) => wire.close()));

  async function flood(wire: Wire, count: number, guess: () => string) {
    const statuses = new Set<number>();
    for (let sent = 0; sent < count; sent += 100) {
      const answers = Array.from({ length: 100 }, () => wire.send('GET', '/me', bearer(guess())));
      for (const { status } of await Promise.all(answers)) statuses.add(status);
    }
    return [...statuses];
  }

  it('a flood of malformed guesses costs no query, and no memory', async () => {
    const app = start();
    const guess = () => `sid_${randomBytes(52).toString('base64url')}`;
    await flood(wires[0]!, 300, guess);
    const before = await heapInUse();
    expect(await flood(wires[0]!, 2_000, guess)).toEqual([401]);
    app.events.length = app.logs.lines.length = app.logs.audit.length = 0;
    expect((await heapInUse()) - before).toBeLessThan(10);
    expect(app.queries).toEqual([]);
  });

  describe('where more addresses guess than can be told apart', () => {
    const FLOOD = 60_000;
    const show = (watch: GuessWatch, ip: string, text: string) =>
      watch.note({ ip, headers: {} } as never, text);
    const flooder = (turn: number) => `10.${turn >> 16}.${(turn >> 8) & 255}.${turn & 255}`;

    it('the memory that they cost is bounded', async () => {
      const app = await startOwn({ attempts: 50, within: '5m', refuse: true });
      const watch = app.app.get(GuessWatch);
      const before = await heapInUse();
      for (let turn = 0; turn < FLOOD; turn++) {
        for (let token = 0; token < 10; token++) await show(watch, flooder(turn), `${turn} ${token}`);
      }
      app.events.length = 0;
      expect((await heapInUse()) - before).toBeLessThan(60);
    });

    it('and so is that of one address, however many it takes to be suspect', async () => {
      const app = await startOwn({ attempts: 1_000_000, within: '1d' });
      const watch = app.app.get(GuessWatch);
      const before = await heapInUse();
      for (let token = 0; token < 200_000; token++) await show(watch, '192.0.2.1', `${token}`);
      expect((await heapInUse()) - before).toBeLessThan(20);
    });

    it('who has begun before is not forgotten, the others are told of as one, and nobody else is refused', async () => {
      const app = await startOwn({ attempts: 20, within: '1h', refuse: true });
      const watch = app.app.get(GuessWatch);
      const suspicions = () => app.events.filter(({ type }) => type === 'guessing-suspected');
      for (let token = 0; token < 19; token++) await show(watch, '192.0.2.1', `in earnest ${token}`);
      for (let turn = 0; turn < FLOOD; turn++) {
        expect(await show(watch, flooder(turn), `${turn}`)).toBeNull();
      }
      expect(suspicions()).toMatchObject([{ attempts: 20, requester: { ip: null, userAgent: null } }]);
      expect(await show(watch, '192.0.2.1', 'in earnest 19')).toBeGreaterThan(3_000);
      expect(suspicions()).toHaveLength(2);
      expect(suspicions()[1]).toMatchObject({ requester: { ip: '192.0.2.1' } });
      expect(await show(watch, '198.51.100.1', 'an app with a dead token')).toBeNull();
    });
  });

  it('a flood of guesses of the right form costs no query where there is a key', async () => {
    const app = startKeyed();
    expect(await flood(wires[1]!, 500, () => format.mint().text)).toEqual([401]);
    expect(app.queries).toEqual([]);
  });

  it('and where there is none, two reads for each at most, and no write', async () => {
    const app = start();
    const { token } = await app.sessions.create({ userId: 'ana' });
    app.queries.length = 0;
    expect(await flood(wires[0]!, 500, () => format.mint().text)).toEqual([401]);
    expect(app.queries.length).toBeLessThanOrEqual(1_000);
    expect(app.queries.filter((query) => !query.startsWith('SELECT'))).toEqual([]);
    await app.http.get('/me').set(bearer(token)).expect(200);
    expect(await countRows(app)).toBe(1);
  });

  it('it takes no other time to refuse a known series than an unknown one', async () => {
    const app = start();
    const { token } = await app.sessions.create({ userId: 'ana' });
    const { series } = bytesOf(token);
    const guesses = {
      known: () => forgeToken(Buffer.concat([series, randomBytes(32)])),
      unknown: () => format.mint().text,
    };
    const times: Record<keyof typeof guesses, number[]> = { known: [], unknown: [] };
    for (let round = 0; round < 150; round++) {
      for (const kind of ['known', 'unknown'] as const) {
        const guess = guesses[kind]();
        const began = performance.now();
        await app.sessions.validate(guess);
        times[kind].push(performance.now() - began);
      }
    }
    // An unknown series is also looked for among the later ones: that is one query more, not another order of size.
    const ratio = median(times.unknown) / median(times.known);
    expect(ratio).toBeGreaterThan(1 / 8);
    expect(ratio).toBeLessThan(8);
  });
});

describe('a key', () => {
  it('cannot be told from any number of tokens that it signed: their checksums are fair too', () => {
    const keyed = new TokenFormat([createSecretKey(KEY, 'utf8')], false);
    const ones = new Uint32Array(36);
    const COUNT = 50_000;
    for (let made = 0; made < COUNT; made++) {
      const checksum = Buffer.from(`${keyed.mint().text.slice(68)}AA`, 'base64url');
      for (let bit = 0; bit < 36; bit++) ones[bit]! += (checksum[bit >> 3]! >> (7 - (bit & 7))) & 1;
    }
    for (const each of ones) expect(Math.abs(each - COUNT / 2)).toBeLessThan(6 * Math.sqrt(COUNT / 4));
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
}
