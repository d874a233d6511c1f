import { Body, Controller, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { RequireSession, type SessionPrincipal, StartSession } from 'nestjs-sessions';
import { TestClock } from 'nestjs-sessions/testing';
import { AttackClient, WAYS } from '../support/attack-client.js';
import { expectNoFaults } from '../support/attack-faults.js';
import { bytesOf, forgeToken } from '../support/attack-token.js';
import { AccountController } from '../support/sign-in.js';
import { countRows, sharedAppOn, type TestApp } from '../support/test-app.js';

@Controller()
class StepUpController {
  @RequireSession() @StartSession() @Post('step-up') stepUp(@Body() body: SessionPrincipal) {
    return body;
  }
}

const EVERYWHERE = ['/me', '/visit', '/admin', '/recent', '/level2'];

expectNoFaults();

describe.each(WAYS)('on $platform by $carrier', ({ platform, carrier }) => {
  const clock = new TestClock();
  const start = sharedAppOn(platform, {
    controllers: [AccountController, StepUpController],
    options: { clock: clock.now },
  });
  const client = new AttackClient(start, carrier);
  const anonymous = async ({ sessions }: TestApp) => (await sessions.createAnonymous({ cart: 'plum' })).token;

  describe('M9: a session that lives on after sign-out', () => {
    it('is ended on the server, so that a copy of the token opens nothing', async () => {
      const app = start();
      const token = await client.signIn({ userId: 'ana', roles: ['admin'], level: 3 });
      for (const path of EVERYWHERE) expect(await client.try(token, path)).toBe('200');
      await client.signOut(token).expect(200);
      for (const path of EVERYWHERE) expect(await client.try(token, path)).toBe('401 session_invalid');
      expect(await countRows(app)).toBe(0);
    });

    it('ends whichever way the copy is shown', async () => {
      const token = await client.signIn();
      await client.signOut(token).expect(200);
      for (const other of WAYS.filter((way) => way.platform === platform)) {
        expect(await new AttackClient(start, other.carrier).try(token)).toBe('401 session_invalid');
      }
    });
  });

  describe('M9: a session without timeout', () => {
    it('left open on somebody’s desk, ends by itself', async () => {
      const token = await client.signIn();
      clock.advance('30m');
      expect(await client.try(token)).toBe('401 session_expired');
    });

    it('cannot be kept for ever by a thief who keeps it busy', async () => {
      const token = await client.signIn();
      for (let minutes = 0; minutes < 24 * 60 - 20; minutes += 20) {
        clock.advance('20m');
        expect(await client.try(token)).toBe('200');
      }
      clock.advance('20m');
      expect(await client.try(token)).toBe('401 session_expired');
    });
  });

  describe('M9: a token from before a change of the authentication state', () => {
    const ana = { userId: 'ana', roles: ['customer'] };
    const changes: [string, (app: TestApp) => Promise<string>, SessionPrincipal, string][] = [
      ['from anonymous to signed in', anonymous, ana, '/login'],
      ['from one user to another', () => client.signIn({ userId: 'bo' }), ana, '/login'],
      [
        'from regular to privileged',
        () => client.signIn(ana),
        { ...ana, roles: ['admin'], level: 2 },
        '/step-up',
      ],
      ['from regular to regular, typed in again', () => client.signIn(ana), ana, '/step-up'],
    ];

    it.each(changes)('is dead after the change %s', async (_, before, principal, path) => {
      const old = await before(start());
      const answer = await client.post(path, old).send(principal).expect(201);
      expect(answer.body.session.userId).toBe('ana');
      for (const place of EVERYWHERE) expect(await client.try(old, place)).toBe('401 session_invalid');
      // Nor does it sign anybody in on the session that it was of.
      await client.post('/step-up', old).send({ userId: 'mallory' }).expect(401);
      expect((await start().sessions.list('ana')).map(({ userId }) => userId)).toEqual(['ana']);
    });

    it('is noticed when it is used, and ends the session that it is a copy of', async () => {
      const app = start();
      const old = await client.signIn();
      const next = await client.signIn({ userId: 'ana', roles: ['admin'] }, old);
      expect(await client.try(next, '/admin')).toBe('200');
      clock.advance('31s');
      expect(await client.try(old)).toBe('401 session_invalid');
      expect(app.events.map(({ type }) => type)).toContain('reuse-detected');
      expect(await client.try(next)).toBe('401 session_invalid');
    });

    it('is not accepted again after a timeout and a new sign-in', async () => {
      const old = await client.signIn();
      clock.advance('31m');
      const next = await client.signIn({ userId: 'ana' }, old);
      expect(await client.try(old)).toBe('401 session_expired');
      expect(await client.try(next)).toBe('200');
      expect(bytesOf(next).series.equals(bytesOf(old).series)).toBe(false);
    });
  });

  describe('M9: a token that can be guessed', () => {
    it('says nothing of user, time or number: those of one moment have nothing in common', async () => {
      const tokens: string[] = [];
      for (let count = 0; count < 20; count++) tokens.push(await client.signIn());
      const parts = tokens.map(bytesOf).flatMap(({ series, secret }) => [series, secret]);
      const beginnings = parts.map((bytes) => bytes.subarray(0, 6).toString('hex'));
      const ends = parts.map((bytes) => bytes.subarray(-6).toString('hex'));
      expect(new Set([...beginnings, ...ends]).size).toBe(80);
    });

    it('has no neighbours that work: one bit off, with the right checksum, is refused', async () => {
      const app = start();
      const token = await client.signIn();
      const { series, secret } = bytesOf(token);
      for (const at of [0, 7, 15, 16, 31, 47]) {
        const bytes = Buffer.concat([series, secret]);
        bytes[at]! ^= 1;
        expect(await client.try(forgeToken(bytes))).toBe('401 session_invalid');
      }
      expect(await client.try(token)).toBe('200');
      expect(await countRows(app)).toBe(1);
    });

    it('is not what is public of a session: neither its id nor what lists and events show', async () => {
      const app = start();
      await client.signIn();
      const [session] = await app.sessions.list('ana');
      const shown = [
        session?.id,
        ...Object.values(session?.toJSON() ?? {}),
        ...app.events.map(({ at }) => at),
      ];
      for (const value of shown) expect(await client.try(String(value))).toBe('401 session_invalid');
    });
  });

  describe('fixation: a token that was planted before sign-in', () => {
    it('of an anonymous session leads nowhere after it', async () => {
      const app = start();
      const planted = await anonymous(app);
      const own = await client.signIn({ userId: 'victim' }, planted);
      expect(bytesOf(own).series.equals(bytesOf(planted).series)).toBe(false);
      expect(await client.try(planted)).toBe('401 session_invalid');
      expect((await app.sessions.validate(planted)).reason).toBe('unknown');
      clock.advance('1m');
      expect(await client.try(planted)).toBe('401 session_invalid');
      expect(await client.try(own)).toBe('200');
    });

    it('and was rotated before, leads nowhere either', async () => {
      const app = start();
      const { session, token } = await app.sessions.createAnonymous();
      const { token: rotated } = await app.sessions.rotate(session.id);
      const own = await client.signIn({ userId: 'victim' }, rotated);
      for (const planted of [token, rotated]) {
        expect(await client.try(planted)).toBe('401 session_invalid');
        await client.signOut(planted).expect(200);
      }
      expect(await client.try(own)).toBe('200');
    });

    it('of the attacker’s own session does not become the victim’s', async () => {
      const app = start();
      const planted = await client.signIn({ userId: 'mallory', data: { payTo: 'mallory' } });
      const own = await client.signIn({ userId: 'victim' }, planted);
      expect(await client.try(planted)).toBe('401 session_invalid');
      expect((await app.sessions.validate(own)).session?.data).toEqual({});
      expect(await app.sessions.list('mallory')).toEqual([]);
      expect(bytesOf(own).series.equals(bytesOf(planted).series)).toBe(false);
    });

    it('and made up is never adopted', async () => {
      const app = start();
      const planted = forgeToken(Buffer.alloc(48, 7));
      const own = await client.signIn({ userId: 'victim' }, planted);
      expect(bytesOf(own).series.equals(bytesOf(planted).series)).toBe(false);
      expect(await client.try(planted)).toBe('401 session_invalid');
      expect(await countRows(app)).toBe(1);
    });
  });
});
