import { HttpException } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type IssuedSession, SessionService } from 'nestjs-sessions';
import { PLATFORMS, startApp } from '../support/platforms.js';
import { QueryRecorder } from '../support/recorders.js';
import type { INestApplication } from '@nestjs/common';

type Verb = (sessions: SessionService, value: never) => Promise<unknown>;

const NO_IDS: readonly [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['an empty string', ''],
  ['an object', {}],
  ['an object that TypeORM would take for a condition', { $ne: null }],
  ['an array', []],
  ['an array with an id', ['ana']],
  ['a number', 0],
  ['true', true],
  ['a symbol', Symbol('id')],
  ['a function', () => 'ana'],
  ['a String object', Object('ana')],
  ['text with NUL', 'ana\0'],
  ['half a surrogate pair', 'ana\ud800'],
  ['256 characters', 'a'.repeat(256)],
];

const VERBS: readonly [string, Verb][] = [
  ['create({ userId })', (sessions, userId) => sessions.create({ userId })],
  ['create(principal)', (sessions, value) => sessions.create(value === 'ana\0' ? ({} as never) : value)],
  ['authenticate(id)', (sessions, id) => sessions.authenticate(id, { userId: 'ana' })],
  [
    'authenticate(…, { userId })',
    (sessions, userId) => sessions.authenticate('018f0000-0000-7000-8000-000000000000', { userId }),
  ],
  ['rotate', (sessions, id) => sessions.rotate(id)],
  ['get', (sessions, id) => sessions.get(id)],
  ['list', (sessions, userId) => sessions.list(userId)],
  ['update', (sessions, id) => sessions.update(id, () => ({ hacked: true }))],
  ['setRoles', (sessions, userId) => sessions.setRoles(userId, ['admin'])],
  ['revoke(id)', (sessions, id) => sessions.revoke(id)],
  ['revokeAll', (sessions, userId) => sessions.revokeAll(userId)],
];

/** What a verb throws for what it cannot take. */
const BAD_REQUEST = expect.objectContaining({
  statusCode: 400,
  error: 'Bad Request',
  message: expect.stringMatching(/^`.+` is .+: .+\.$/),
  code: 'invalid_argument',
});

describe.each(PLATFORMS)('on %s', (platform) => {
  const recorder = new QueryRecorder();
  let app: INestApplication;
  let sessions: SessionService;
  let issued: IssuedSession;

  beforeAll(async () => {
    app = await startApp(platform, { typeorm: { logging: ['query'], logger: recorder } });
    sessions = app.get(SessionService);
  });
  beforeEach(async () => {
    await sessions.revokeEveryone();
    issued = await sessions.create({ userId: 'ana', roles: ['customer'], data: { kept: true } });
    recorder.queries.length = 0;
  });
  afterAll(() => app.close());

  async function expectRefused(work: () => Promise<unknown>): Promise<void> {
    recorder.queries.length = 0;
    const error = await work().then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(HttpException);
    expect((error as HttpException).getStatus()).toBe(400);
    expect((error as HttpException).getResponse()).toEqual(BAD_REQUEST);
    expect(recorder.queries).toEqual([]);
    const { session } = await sessions.validate(issued.token);
    expect(session).toMatchObject({ userId: 'ana', roles: ['customer'], data: { kept: true } });
  }

  describe.each(VERBS)('%s refuses with 400, before any query and touching no row,', (name, verb) => {
    it.each(NO_IDS.filter(([what]) => name !== 'create(principal)' || what !== 'an object'))(
      '%s',
      async (_, value) => {
        await expectRefused(() => verb(sessions, value as never));
      },
    );
  });

  describe('revoke(id, owner) refuses', () => {
    it.each<[string, unknown]>([
      ['null', null],
      ['the user id itself', 'ana'],
      ['an empty object', {}],
      ['a number', 5],
      ...NO_IDS.map(([what, value]): [string, unknown] => [`{ userId } that is ${what}`, { userId: value }]),
    ])('an owner that is %s', async (_, owner) => {
      await expectRefused(() => sessions.revoke(issued.session.id, owner as never));
    });
  });

  describe('revokeAll(userId, { except }) refuses', () => {
    it.each(NO_IDS.filter(([, value]) => value !== undefined))(
      'an exception that is %s',
      async (_, except) => {
        await expectRefused(() => sessions.revokeAll('ana', { except: except as never }));
      },
    );
  });

  describe('list(userId, options) refuses', () => {
    it.each<[string, unknown]>([
      ['null', null],
      ['the limit itself', 5],
      ['the cursor itself', '018f0000-0000-7000-8000-000000000001'],
    ])('options that are %s', async (_, options) => {
      await expectRefused(() => sessions.list('ana', options as never));
    });

    it.each([0, -1, 1_001, 1.5, NaN, Infinity, '10', null, {}, [10], 10n])('a limit of %p', async (limit) => {
      await expectRefused(() => sessions.list('ana', { limit: limit as never }));
      await expect(sessions.list('ana', { limit: limit as never })).rejects.toThrow(/^`options\.limit` is /);
    });

    it.each([
      ...NO_IDS.filter(([, value]) => value !== undefined),
      ['no id of a session', 'ana'],
      ['an id in capitals', '018F0000-0000-7000-8000-000000000001'],
      ['a token', `sid_${'a'.repeat(70)}`],
    ] as [string, unknown][])('to begin before what is %s', async (_, before) => {
      await expectRefused(() => sessions.list('ana', { before: before as never }));
      await expect(sessions.list('ana', { before: before as never })).rejects.toThrow(
        /^`options\.before` is /,
      );
    });
  });

  describe('revokeEveryone({ createdBefore }) refuses', () => {
    it.each<[string, unknown]>([
      ['undefined', undefined],
      ['null', null],
      ['a number', Date.now()],
      ['a text', '2026-01-01T00:00:00Z'],
      ['no valid date', new Date('yesterday')],
    ])('a time that is %s', async (_, createdBefore) => {
      await expectRefused(() => sessions.revokeEveryone({ createdBefore: createdBefore as never }));
    });
  });

  describe('setRoles(userId, roles) refuses roles that are', () => {
    it.each<[string, unknown]>([
      ['undefined', undefined],
      ['null', null],
      ['a string', 'admin'],
      ['an object', { admin: true }],
      ['a list with an empty name', ['']],
      ['a list with a number', [1]],
      ['a list in a list', [['admin']]],
      ['a sparse list', [, 'admin']], // oxlint-disable-line no-sparse-arrays
      ['too many', Array.from({ length: 101 }, (_, index) => `role${index}`)],
    ])('%s', async (_, roles) => {
      await expectRefused(() => sessions.setRoles('ana', roles as never));
    });
  });

  describe('create refuses a principal with', () => {
    it.each<[string, object]>([
      ['roles that are a string', { roles: 'admin' }],
      ['roles that are null', { roles: null }],
      ['level 0', { level: 0 }],
      ['level 4', { level: 4 }],
      ['level "2"', { level: '2' }],
      ['data that is a list', { data: [] }],
      ['data that is null', { data: null }],
      ['data with a Date', { data: { at: new Date() } }],
      ['data with a Map', { data: { map: new Map() } }],
      ['data with a bigint', { data: { n: 1n } }],
      ['data with a sparse list', { data: { list: [, 1] } }], // oxlint-disable-line no-sparse-arrays
      ['roles that are a sparse list', { roles: [, 'admin'] }], // oxlint-disable-line no-sparse-arrays
      ['data with NaN', { data: { n: Number.NaN } }],
      ['data with a function', { data: { f: () => 1 } }],
      ['data of 17 kB', { data: { text: 'x'.repeat(17_000) } }],
      ['data with __proto__', { data: JSON.parse('{"__proto__":{"a":1}}') as object }],
    ])('%s', async (_, part) => {
      await expectRefused(() => sessions.create({ userId: 'ana', ...part } as never));
      await expectRefused(() =>
        sessions.authenticate(issued.session.id, { userId: 'ana', ...part } as never),
      );
    });
  });

  describe('client information', () => {
    it.each<[string, unknown]>([
      ['null', null],
      ['a string', 'phone'],
      ['of wrong types', { ip: 5, userAgent: {}, label: [] }],
    ])('that is %s is no reason for anything but a session or a 400', async (_, client) => {
      const answer = await sessions
        .create({ userId: 'bo' }, client as never)
        .catch((error: unknown) => error);
      if (answer instanceof HttpException) expect(answer.getStatus()).toBe(400);
      else expect(answer).toMatchObject({ session: { client: { ip: null, userAgent: null, label: null } } });
    });
  });

  it('update refuses what is no function, and results that are no data', async () => {
    await expectRefused(() => sessions.update(issued.session.id, { hacked: true } as never));
    for (const result of [undefined, null, [], 'text', Promise.resolve({})]) {
      const error = await sessions.update(issued.session.id, () => result as never).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(HttpException);
      expect((error as HttpException).getResponse()).toEqual(BAD_REQUEST);
    }
    const { session } = await sessions.validate(issued.token);
    expect(session?.data).toEqual({ kept: true });
  });

  it('validate takes anything for a malformed token, without a query', async () => {
    for (const [, value] of NO_IDS) {
      expect(await sessions.validate(value as never)).toEqual({ session: null, reason: 'malformed' });
    }
    expect(recorder.queries).toEqual([]);
  });

  it('an id that no session can have is absent, and costs no query', async () => {
    for (const id of ['nobody', '*', '%', "' OR 1=1 --", issued.session.id.toUpperCase()]) {
      expect(await sessions.get(id)).toBeNull();
      expect(await sessions.revoke(id)).toBe(false);
      expect(await sessions.update(id, () => ({ hacked: true }))).toBeNull();
      await expect(sessions.rotate(id)).rejects.toMatchObject({ status: 401 });
      await expect(sessions.authenticate(id, { userId: 'ana' })).rejects.toMatchObject({ status: 401 });
    }
    expect(recorder.queries).toEqual([]);
  });

  it('a user id that is a pattern or SQL is only a user id', async () => {
    for (const userId of ['%', '_na', '*', "ana' OR '1'='1", 'ANA', 'ana ', 'aná']) {
      expect(await sessions.list(userId)).toEqual([]);
      expect(await sessions.revokeAll(userId)).toBe(0);
      expect(await sessions.setRoles(userId, ['admin'])).toBe(0);
      expect(await sessions.revoke(issued.session.id, { userId })).toBe(false);
    }
    expect(await sessions.list('ana')).toHaveLength(1);
  });
});
