import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TokenFormat } from '../../src/core/token/token.js';
import { expectNoFaults } from '../support/attack-faults.js';
import { heapInUse } from '../support/attack-heap.js';
import { bytesOf, forgeToken } from '../support/attack-token.js';
import { sendBytes, Wire } from '../support/attack-wire.js';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController } from '../support/sign-in.js';
import { sharedAppOn } from '../support/test-app.js';

const MEGABYTES = 12;
const WARM_UP = 600;
const ROUNDS = 3_000;
const format = new TokenFormat();
const json = { 'Content-Type': 'application/json' };

type Attack = readonly [method: string, path: string, headers: Record<string, string>, body?: string];

/** One of each kind of hostile request, with what an attacker has: dead tokens, and no live one. */
function attacks(dead: string, round: number): Attack[] {
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const unknown = format.mint().text;
  return [
    ['GET', '/me', bearer(unknown)],
    ['GET', '/me', bearer(`sid_${randomBytes(52).toString('base64url')}`)],
    ['GET', '/me', bearer(dead)],
    ['GET', '/me', { Cookie: `sid=${dead}; sid=${unknown}` }],
    ['GET', '/me', { Cookie: `sid=${'%'.repeat(round % 4_000)}` }],
    ['GET', '/me', { Cookie: ';='.repeat(round % 3_000) }],
    ['GET', '/admin', bearer(forgeToken(Buffer.concat([bytesOf(dead).series, randomBytes(32)])))],
    ['POST', '/act', { Cookie: `sid=${unknown}`, 'Sec-Fetch-Site': 'cross-site' }],
    ['POST', '/web/login', { ...json, Origin: 'https://evil.net' }, '{"userId":"ana"}'],
    ['POST', '/login', json, '{"userId":'],
    ['POST', '/login', json, '{"userId":5,"roles":{"length":1}}'],
    ['POST', '/login', json, JSON.stringify({ userId: 'x'.repeat(round % 400 || 300), roles: [''] })],
    ['POST', '/login', json, '{"__proto__":{"userId":"root"}}'],
    ['POST', '/login', json, `{"userId":"a","data":${'{"a":'.repeat(80)}1${'}'.repeat(80)}}`],
    ['POST', '/login', { 'Content-Type': 'text/plain' }, 'userId=ana'],
    ['POST', '/logout', bearer(unknown)],
    ['POST', '/logout', { ...bearer(dead), Host: 'app.example.com' }],
    ['GET', '/me', { ...bearer(dead), Host: `h${round}.example.com`, 'X-Forwarded-Proto': 'https' }],
    ['GET', `/${round}/../me?${'a[]=b&'.repeat(round % 100)}`, {}],
    ['DELETE', '/me', bearer(dead)],
    ['OPTIONS', '/me', { Origin: 'null', 'User-Agent': '\xff'.repeat(round % 1_000) }],
  ];
}

expectNoFaults(['POST /login']);

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = sharedAppOn(platform, { controllers: [AccountController] });
  let wire: Wire;
  beforeAll(() => {
    wire = new Wire(start().app);
  });
  afterAll(() => wire.close());

  it('mixed hostile traffic without end lets nobody in, harms no session and takes no memory', async () => {
    const app = start();
    const { token } = await app.sessions.create({ userId: 'honest' });
    const { session, token: dead } = await app.sessions.create({ userId: 'thief' });
    await app.sessions.revoke(session.id);
    const statuses = new Map<string, Set<number>>();

    async function soak(count: number): Promise<void> {
      for (let sent = 0; sent < count;) {
        const round = attacks(dead, sent);
        const answers = await Promise.all(round.map((attack) => wire.send(...attack)));
        answers.forEach(({ status }, at) => {
          const [method, path] = round[at]!;
          const key = `${method} ${path.replace(/^\/\d.*/, '/other')}`;
          statuses.set(key, (statuses.get(key) ?? new Set()).add(status));
        });
        sent += round.length;
        const honest = await wire.send('GET', '/me', { Authorization: `Bearer ${token}` });
        expect([honest.status, JSON.parse(honest.text).userId]).toEqual([200, 'honest']);
      }
      await sendBytes(app.app, randomBytes(4_096), 50);
      // What the recorders of the test hold is not the application's.
      for (const seen of [app.events, app.queries, app.logs.lines, app.logs.audit]) seen.length = 0;
    }

    await soak(WARM_UP);
    const before = await heapInUse();
    await soak(ROUNDS);
    expect((await heapInUse()) - before).toBeLessThan(MEGABYTES);
    expect(
      Object.fromEntries([...statuses].map(([key, each]) => [key, [...each].filter((one) => one < 400)])),
    ).toEqual({
      'GET /me': [],
      'GET /admin': [],
      'GET /other': [],
      'POST /act': [],
      'POST /web/login': [],
      'POST /login': [],
      'POST /logout': [200],
      'DELETE /me': [],
      'OPTIONS /me': [],
    });
    expect((await app.sessions.list('honest')).length).toBe(1);
  });
});
