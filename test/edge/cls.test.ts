import { Controller, Get, Injectable, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { ClsModule, type ClsModuleOptions } from 'nestjs-cls';
import { Public, type SessionPrincipal, StartSession } from 'nestjs-sessions';
import { ClsSession, SessionClsPlugin } from 'nestjs-sessions/cls';
import { edgeApps } from './support/edge-apps.js';

/** Is given no request and no session. */
@Injectable()
class Books {
  constructor(private readonly session: ClsSession) {}

  async reader(): Promise<object> {
    await new Promise((resolve) => setImmediate(resolve));
    return { userId: this.session.current?.userId ?? null };
  }
}

@Controller()
class BooksController {
  constructor(private readonly books: Books) {}
  @Get('reader') reader(): Promise<object> {
    return this.books.reader();
  }
  @Public() @Get('open') open(): Promise<object> {
    return this.books.reader();
  }
  @StartSession() @Post('sign-in') signIn(): SessionPrincipal {
    return { userId: 'cleo' };
  }
}

const WAYS: readonly [string, ClsModuleOptions][] = [
  ['a middleware', { middleware: { mount: true } }],
  ['an interceptor', { interceptor: { mount: true } }],
];
const start = edgeApps();

describe.each(['express', 'fastify'] as const)('ClsSession on %s', (platform) => {
  it.each(WAYS)('is that of each request, where %s begins the context', async (_, options) => {
    const cls = ClsModule.forRoot({ global: true, plugins: [new SessionClsPlugin()], ...options });
    const { app, sessions, url } = await start({
      platform,
      imports: [cls],
      controllers: [BooksController],
      providers: [Books],
    });
    const users = ['ana', 'ben', 'eve'];
    const read = async (userId: string): Promise<unknown> => {
      const { token } = await sessions.create({ userId });
      const answer = await fetch(`${url}/reader`, { headers: { Authorization: `Bearer ${token}` } });
      return answer.json();
    };
    expect(await Promise.all(users.map(read))).toEqual(users.map((userId) => ({ userId })));
    expect(await (await fetch(`${url}/open`)).json()).toEqual({ userId: null });
    expect(app.get(ClsSession, { strict: false }).current).toBeNull();
  });
});
