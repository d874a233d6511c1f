import { Body, Controller, Get, Post, type INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ActiveSession, CurrentSession, EndSession, RequireRole, StartSession } from 'nestjs-sessions';
import request from 'supertest';
import { PLATFORMS, startApp } from '../support/platforms.js';

@Controller()
class AppController {
  @StartSession() @Post('login') login(@Body() body: { user: string; roles?: string[] }) {
    return { userId: body.user, roles: body.roles ?? [] };
  }
  @EndSession() @Post('logout') logout() {}
  @Get('me') me(@CurrentSession() session: ActiveSession) {
    return session;
  }
  @RequireRole('admin') @Get('admin') admin() {
    return 'ok';
  }
}

describe.each(PLATFORMS)('on %s', (platform) => {
  let app: INestApplication;
  beforeAll(async () => {
    app = await startApp(platform, { controllers: [AppController] });
  });
  afterAll(() => app.close());

  it('goes through', async () => {
    const http = request(app.getHttpServer());
    const none = await http.get('/me');
    expect([none.status, none.headers['www-authenticate'], none.body]).toEqual([
      401,
      'Bearer',
      expect.objectContaining({ code: 'session_required' }),
    ]);
    const login = await http.post('/login').send({ user: 'ana' });
    expect(login.status).toBe(201);
    const auth = { Authorization: `Bearer ${login.body.token}` };
    const me = await http.get('/me').set(auth);
    expect(me.status).toBe(200);
    expect((await http.get('/admin').set(auth)).status).toBe(403);
    expect((await http.post('/logout').set(auth)).status).toBe(201);
    expect((await http.get('/me').set(auth)).status).toBe(401);
  });
});
