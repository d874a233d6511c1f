import { VersioningType } from '@nestjs/common';
import { LazyModuleLoader, RouterModule } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { AttackClient, verdictOf, WAYS } from '../support/attack-client.js';
import {
  FirstController,
  ForgottenController,
  GrandchildController,
  InheritingController,
  LazyModule,
  MountedModule,
  PluginController,
  PluginModule,
  ProfileController,
  RequestScopedController,
  SecondController,
  ShopController,
  StaffController,
} from '../support/attack-controllers.js';
import { expectNoFaults } from '../support/attack-faults.js';
import { getRaw } from '../support/raw-http.js';
import { AccountController } from '../support/sign-in.js';
import { sharedAppOn } from '../support/test-app.js';

const ADMIN_ONLY = [
  '/staff',
  '/staff/loosened',
  '/staff/level',
  '/staff/files/a',
  '/inherited',
  '/inherited/help',
  '/inherited/more',
  '/inherited/loosened',
  '/grandchild',
  '/grandchild/loosened',
  '/shop/prices',
  '/requested',
  '/v1/versioned',
  '/v2/versioned',
  '/mounted/here/reports',
  '/reports-of-a-plugin',
];
const UNDECORATED = ['/forgotten', '/forgotten/any/thing', '/mounted/here/reports/undecorated'];

expectNoFaults();

describe.each(WAYS)('on $platform by $carrier', ({ platform, carrier }) => {
  const start = sharedAppOn(platform, {
    controllers: [
      AccountController,
      ForgottenController,
      StaffController,
      InheritingController,
      GrandchildController,
      ShopController,
      RequestScopedController,
      FirstController,
      SecondController,
      ProfileController,
    ],
    imports: [
      MountedModule,
      RouterModule.register([{ path: 'mounted', children: [{ path: 'here', module: MountedModule }] }]),
      PluginModule.register([PluginController]),
    ],
    configure: (app) => app.enableVersioning({ type: VersioningType.URI }),
  });
  const client = new AttackClient(start, carrier);
  const customer = () => client.signIn({ userId: 'mallory', roles: ['customer'], level: 3 });

  describe('what is meant for an admin', () => {
    it.each(ADMIN_ONLY)(
      '%s is closed to a customer, to nobody in particular, and without a session',
      async (path) => {
        const app = start();
        expect(verdictOf(await client.get(path))).toBe('401 session_required');
        expect(await client.try((await app.sessions.createAnonymous()).token, path)).toBe(
          '401 session_required',
        );
        expect(await client.try(await customer(), path)).toBe('403 role_required');
        const both = await client.signIn({ userId: 'ada', roles: ['admin', 'customer'] });
        expect(await client.try(both, path)).toBe('200');
      },
    );

    it('is closed however its path is written', async () => {
      const app = start();
      const token = await customer();
      const header = Object.entries(client.headers(token)).map(([name, value]) => `${name}: ${value}`);
      for (const path of [
        '/staff/',
        '//staff',
        '/STAFF',
        '/%73taff',
        '/staff?x=/staff/help',
        '/staff;a=b',
        '/staff/./',
        '/staff/help/..',
        '/staff/../staff',
        '/staff%2f',
        '/staff%00',
        '/staff/files/..%2f..%2fhelp',
        '/staff#/staff/help',
        'http://localhost/staff',
      ]) {
        const { status } = await getRaw(app.app, path, header);
        expect([path, [400, 403, 404].includes(status)]).toEqual([path, true]);
      }
    });

    it('is closed to HEAD, and to the other methods of a handler for all', async () => {
      const app = start();
      const token = await customer();
      await app.http.head('/staff').set(client.headers(token)).expect(403);
      for (const method of ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const) {
        await app.http[method]('/forgotten/any/thing').expect(401);
      }
    });
  });

  it.each(UNDECORATED)('what nobody decorated is closed: %s', async (path) => {
    const app = start();
    expect(verdictOf(await client.get(path))).toBe('401 session_required');
    expect(await client.try((await app.sessions.createAnonymous()).token, path)).toBe('401 session_required');
    expect(await client.try(await customer(), path)).toBe('200');
  });

  it('what a class opens to anybody, its method closes, and only @Public() on the method opens', async () => {
    const visitor = (await start().sessions.createAnonymous()).token;
    expect(await client.try(visitor, '/shop')).toBe('200');
    expect(verdictOf(await client.get('/shop'))).toBe('401 session_required');
    expect(verdictOf(await client.get('/staff/help'))).toBe('200');
    expect(verdictOf(await client.get('/grandchild/help'))).toBe('401 session_required');
  });

  it('a version that does not exist leads to no older, weaker handler', async () => {
    for (const path of ['/v3/versioned', '/versioned', '/v1/v2/versioned'])
      await client.get(path).expect(404);
  });

  it('a module that is loaded lazily brings no routes past the guard', async () => {
    const { app } = start();
    await app.get(LazyModuleLoader, { strict: false }).load(() => LazyModule);
    // Nest gives it none at all.
    for (const token of [undefined, await customer()]) await client.get('/lazy', token).expect(404);
  });

  describe('who asks for more rights does not get them:', () => {
    it('by roles in the body, the query, headers or cookies', async () => {
      const token = await customer();
      const claims = { roles: ['admin'], role: 'admin', level: 3, userId: 'ada' };
      const answer = await client
        .get('/staff?role=admin&roles[]=admin&userId=ada', token)
        .set({ 'X-Role': 'admin', 'X-Roles': '["admin"]', 'X-User-Id': 'ada' })
        .send(claims);
      expect(verdictOf(answer)).toBe('403 role_required');
    });

    it('by data that is named like roles, at sign-in and afterwards', async () => {
      const app = start();
      const data = { roles: 'admin', level: '3', userId: 'ada' };
      const signedIn = await client
        .post('/profile/login')
        .send({ userId: 'mallory', roles: ['admin'], data });
      const token = signedIn.body.token as string;
      expect(await client.try(token, '/staff')).toBe('403 role_required');
      const { id } = (await app.sessions.validate(token)).session!;
      await client
        .post('/profile/data', token)
        .send({ id, data: { ...data, isAdmin: 'true' } })
        .expect(201);
      expect(await client.try(token, '/staff')).toBe('403 role_required');
      expect((await client.get('/me', token)).body.userId).toBe('mallory');
    });

    it('by a role whose name only looks like it', async () => {
      for (const role of [
        'Admin',
        'ADMIN',
        'admin ',
        ' admin',
        'admın',
        'admin\u200b',
        'admin,customer',
        '*',
        'ad%',
      ]) {
        const token = await client.signIn({ userId: 'mallory', roles: [role] });
        expect(await client.try(token, '/staff')).toBe('403 role_required');
      }
    });

    it('by a user id that only looks like somebody else’s', async () => {
      const app = start();
      await client.signIn({ userId: 'ada', roles: ['admin'] });
      for (const userId of ['Ada', 'ada ', 'ada\u200b', 'àda']) {
        const token = await client.signIn({ userId });
        await app.sessions.setRoles(userId, ['customer']);
        expect(await client.try(token, '/staff')).toBe('403 role_required');
      }
      expect((await app.sessions.list('ada'))[0]?.roles).toEqual(['admin']);
    });

    it('by names that every object has', async () => {
      for (const role of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
        const token = await client.signIn({ userId: 'mallory', roles: [role] });
        expect(await client.try(token, '/staff')).toBe('403 role_required');
      }
    });

    it('by a step-up without the role, which keeps what the session had', async () => {
      const token = await customer();
      const next = await client.signIn({ userId: 'mallory', level: 3 }, token);
      expect(await client.try(next, '/staff')).toBe('403 role_required');
    });
  });

  it('a role that was taken away is gone with the next request, whatever was in flight', async () => {
    const app = start();
    const token = await client.signIn({ userId: 'ada', roles: ['admin'] });
    const racing = Array.from({ length: 10 }, () => client.try(token, '/staff'));
    await app.sessions.setRoles('ada', ['customer']);
    await Promise.all(racing);
    expect(await client.try(token, '/staff')).toBe('403 role_required');
  });
});
