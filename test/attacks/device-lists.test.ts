import { Body, Controller, Delete, ForbiddenException, Get, HttpCode, Param, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { CurrentSession, SessionService, StartSession } from 'nestjs-sessions';
import { AttackClient, WAYS } from '../support/attack-client.js';
import { expectNoFaults } from '../support/attack-faults.js';
import { getRaw } from '../support/raw-http.js';
import { AccountController } from '../support/sign-in.js';
import { sharedAppOn } from '../support/test-app.js';

@Controller('devices')
class DevicesController {
  constructor(private readonly sessions: SessionService) {}

  @StartSession({ label: (request: { body: { device: string } }) => request.body.device })
  @Post('login')
  login(@Body() { userId }: { userId: string }) {
    return { userId };
  }
  @Get() list(@CurrentSession('userId') userId: string) {
    return this.sessions.list(userId);
  }
  @HttpCode(204) @Delete(':id') async end(@Param('id') id: string, @CurrentSession('userId') userId: string) {
    if (!(await this.sessions.revoke(id, { userId }))) throw new ForbiddenException();
  }
}

expectNoFaults();

describe.each(WAYS)('on $platform by $carrier', ({ platform, carrier }) => {
  const start = sharedAppOn(platform, { controllers: [AccountController, DevicesController] });
  const client = new AttackClient(start, carrier);

  describe('the list of devices', () => {
    it('shows one’s own and nothing secret, and ends nobody else’s', async () => {
      const app = start();
      const [mine, theirs] = [
        await client.signIn({ userId: 'mallory' }),
        await client.signIn({ userId: 'ana' }),
      ];
      const [victim] = await app.sessions.list('ana');
      const own = await client.get('/devices', mine).expect(200);
      expect(own.body.map(({ userId }: { userId: string }) => userId)).toEqual(['mallory']);
      expect(own.text).not.toMatch(/sid_|[0-9a-f]{64}/);
      const http = app.http;
      for (const id of [
        victim!.id,
        `${victim!.id}?userId=ana`,
        `${victim!.id}%00`,
        encodeURIComponent("' OR 1=1 --"),
      ]) {
        const { status } = await http.delete(`/devices/${id}`).set(client.headers(mine));
        expect([400, 403]).toContain(status);
      }
      expect(await client.try(theirs)).toBe('200');
      await http.delete(`/devices/${victim!.id}`).set(client.headers(theirs)).expect(204);
      expect(await client.try(theirs)).toBe('401 session_invalid');
    });

    it('holds no text that hides other text, or more than fits', async () => {
      const app = start();
      const device = 'Phone\r\n\u202eevil\u2028\0\u001b[2K' + 'x'.repeat(5_000);
      const { body } = await client.post('/devices/login').send({ userId: 'ana', device }).expect(201);
      const list = await client.get('/devices', body.token as string);
      const { label } = list.body[0].client as { label: string };
      expect(label).toBe(`Phone   evil   [2K${'x'.repeat(82)}`);
      expect(app.queries.filter((query) => query.includes('Phone'))).toEqual([]);
    });

    it.each([[{}], [['a']], [5], [true], [null]])('takes no %j for a name', async (device) => {
      const { body } = await client.post('/devices/login').send({ userId: 'ana', device }).expect(201);
      expect(body.session.client.label).toBeNull();
    });
  });

  it('a user agent forges no line of the log, no event and no entry of the audit trail', async () => {
    const app = start();
    const agent = `phone\t\x85\x9b2K[Nest] 1 - LOG {"event":"revoked"}${'\xff'.repeat(4_000)}`;
    const header = Object.entries(client.headers(await client.signIn()));
    await getRaw(app.app, '/admin', [`User-Agent: ${agent}`, ...header.map((pair) => pair.join(': '))]);
    await app.http.post('/login').set('User-Agent', agent).send({ userId: 'bo' }).expect(201);
    const [session] = await app.sessions.list('bo');
    expect(session?.client.userAgent).toHaveLength(255);
    const entries = app.logs.audit.map(({ entry }) => entry);
    expect(entries.length).toBeGreaterThan(2);
    expect(JSON.stringify(entries)).toContain('phone   2K[Nest]');
    for (const told of [session, ...app.events, ...entries]) {
      expect(JSON.stringify(told)).not.toMatch(/[\p{Cc}\u2028\u202e]|\\[nrtu]/u);
    }
    expect(app.logs.texts().filter((text) => text.includes('revoked'))).toEqual([]);
  });

  it('user ids and roles reach the audit trail as values of an entry, never as text', async () => {
    const app = start();
    const userId = 'ana\r\n[Nest] 1 - LOG [SessionAudit] forged';
    await app.sessions.create({ userId, roles: [userId] });
    await app.sessions.setRoles(userId, ['\u001b[2K\nforged']);
    expect(app.logs.audit.map(({ entry }) => entry).slice(-2)).toMatchObject([
      { event: 'created', userId },
      { event: 'roles-changed', userId, roles: ['\u001b[2K\nforged'] },
    ]);
    expect(app.logs.texts().filter((text) => text.includes('forged'))).toEqual([]);
  });
});
