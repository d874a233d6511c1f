import { describe, expect, it } from '@jest/globals';
import type { Actor } from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController } from '../support/sign-in.js';
import { sharedAppOn, type TestApp } from '../support/test-app.js';

const BY: Actor = { userId: 'ada', sessionId: '018f0000-0000-7000-8000-000000000001' };
const NO_ACTORS: readonly [string, unknown][] = [
  ['null', null],
  ['the user id itself', 'ada'],
  ['a number', 7],
  ['an empty object', {}],
  ['without a user', { sessionId: BY.sessionId }],
  ['of nobody', { userId: null }],
  ['of a numbered user', { userId: 7 }],
  ['of an empty user', { userId: '' }],
  ['of text with NUL', { userId: 'ada\0' }],
  ['in no session', { userId: 'ada', sessionId: null }],
  ['in a numbered session', { userId: 'ada', sessionId: 7 }],
];

describe.each(PLATFORMS)('on %s who did it', (platform) => {
  const start = sharedAppOn(platform, { controllers: [AccountController] });

  async function withSession(): Promise<TestApp & { id: string }> {
    const app = start();
    const { session } = await app.sessions.create({ userId: 'ana' });
    app.queries.length = 0;
    app.events.length = 0;
    app.logs.audit.length = 0;
    return { ...app, id: session.id };
  }

  function expectToldOf({ events, logs }: TestApp, type: string, by: Actor | undefined): void {
    expect(events.map((event) => [event.type, 'by' in event ? event.by : undefined])).toEqual([[type, by]]);
    expect(logs.audit.map(({ entry }) => [entry.event, 'by' in entry ? entry.by : undefined])).toEqual([
      [type, by],
    ]);
  }

  it.each([BY, { userId: 'ada' }, undefined])('stands in the event and in the audit: %j', async (by) => {
    const options = by && { by };
    let app = await withSession();
    expect(await app.sessions.setRoles('ana', ['support'], by)).toBe(1);
    expectToldOf(app, 'roles-changed', by);
    app = await withSession();
    expect(await app.sessions.revoke(app.id, options)).toBe(true);
    expectToldOf(app, 'revoked', by);
    app = await withSession();
    expect(await app.sessions.revoke(app.id, { userId: 'ana', ...options })).toBe(true);
    expectToldOf(app, 'revoked', by);
    await app.sessions.revokeAll('ana');
    app = await withSession();
    expect(await app.sessions.revokeAll('ana', options)).toBe(1);
    expectToldOf(app, 'revoked', by);
    app = await withSession();
    expect(await app.sessions.revokeEveryone(options)).toBe(1);
    expectToldOf(app, 'revoked', by);
  });

  it('is told with the time before which the sessions of everyone were ended', async () => {
    const app = await withSession();
    const createdBefore = new Date(Date.now() + 60_000);
    expect(await app.sessions.revokeEveryone({ createdBefore, by: BY })).toBe(1);
    const told = {
      reason: 'revoked',
      sessionIds: [],
      count: 1,
      createdBefore: createdBefore.toISOString(),
      by: BY,
    };
    expect(app.events).toMatchObject([{ type: 'revoked', ...told }]);
    expect(app.logs.audit.map(({ entry }) => entry)).toMatchObject([{ event: 'revoked', ...told }]);
    await app.sessions.revokeEveryone();
    expect(app.events.at(-1)).not.toHaveProperty('createdBefore');
  });

  it('is two ids, and nothing else of what was passed', async () => {
    const app = await withSession();
    const secretive = { ...BY, password: 'secret', data: { pin: 1 } };
    await app.sessions.revoke(app.id, { by: secretive });
    expectToldOf(app, 'revoked', BY);
  });

  it('says nothing of the owner: a session of somebody else is left alone', async () => {
    const app = await withSession();
    expect(await app.sessions.revoke(app.id, { userId: 'ben', by: BY })).toBe(false);
    expect(await app.sessions.get(app.id)).not.toBeNull();
  });

  it.each(NO_ACTORS)('must be somebody, or nothing is done: %s', async (_, by) => {
    const app = await withSession();
    const options = { by: by as never };
    const works = [
      () => app.sessions.revoke(app.id, options),
      () => app.sessions.revoke('no id of a session', options),
      () => app.sessions.revokeAll('ana', options),
      () => app.sessions.revokeEveryone(options),
      () => app.sessions.setRoles('ana', ['admin'], by as never),
    ];
    for (const work of works) {
      await expect(work()).rejects.toMatchObject({ status: 400, code: 'invalid_argument' });
    }
    expect(app.queries).toEqual([]);
    expect(app.events).toEqual([]);
  });

  it('does not stand in for an owner that is missing', async () => {
    const app = await withSession();
    const refused = { status: 400, code: 'invalid_argument' };
    await expect(app.sessions.revoke(app.id, { userId: undefined as never, by: BY })).rejects.toMatchObject(
      refused,
    );
    await expect(app.sessions.revoke(app.id, {})).rejects.toMatchObject(refused);
    for (const options of [null, 'ada', 7]) {
      await expect(app.sessions.revokeAll('ana', options as never)).rejects.toMatchObject(refused);
      await expect(app.sessions.revokeEveryone(options as never)).rejects.toMatchObject(refused);
    }
    expect(app.queries).toEqual([]);
  });
});
