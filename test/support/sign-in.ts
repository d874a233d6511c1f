import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import {
  type ActiveSession,
  AllowAnonymous,
  CurrentSession,
  EndSession,
  Public,
  RequireLevel,
  RequireRecentAuth,
  RequireRole,
  type SessionPrincipal,
  StartSession,
} from 'nestjs-sessions';
import type { TestApp } from './test-app.js';

/** Sign-in that believes what the body says, sign-out, and a few protected routes. */
@Controller()
export class AccountController {
  @StartSession() @Post('login') login(@Body() body: SessionPrincipal): SessionPrincipal {
    return body;
  }

  @StartSession({ transport: 'cookie' })
  @Post('web/login')
  webLogin(@Body() body: SessionPrincipal): SessionPrincipal {
    return body;
  }

  @HttpCode(200) @EndSession() @Post('logout') logout(): string {
    return 'bye';
  }

  @HttpCode(200) @EndSession({ transport: 'cookie' }) @Post('web/logout') webLogout(): string {
    return 'bye';
  }

  @Get('me') me(@CurrentSession() session: ActiveSession): ActiveSession {
    return session;
  }

  @HttpCode(200) @Post('act') act(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @Public() @Get('open') open(): string {
    return 'open';
  }

  @AllowAnonymous() @Get('visit') visit(@CurrentSession('id') id: string): string {
    return id;
  }

  @RequireRole('admin') @Get('admin') admin(): string {
    return 'admin';
  }

  @RequireRecentAuth('5m') @Get('recent') recent(): string {
    return 'recent';
  }

  @RequireLevel(2) @Get('level2') level2(): string {
    return 'level2';
  }
}

export function bearer(token: string): { Authorization: string } {
  return { Authorization: `Bearer ${token}` };
}

/** The token of a new session. */
export async function signIn(
  { http }: Pick<TestApp, 'http'>,
  principal: SessionPrincipal = { userId: 'ana' },
): Promise<string> {
  const answer = await http.post('/login').send(principal);
  if (answer.status !== 201) throw new Error(`Sign-in gave ${answer.status} ${answer.text}`);
  return answer.body.token as string;
}

/** The `Cookie` header of a new session. */
export async function signInByCookie(
  { http }: Pick<TestApp, 'http'>,
  principal: SessionPrincipal = { userId: 'ana' },
  headers: Record<string, string> = {},
): Promise<string> {
  const answer = await http.post('/web/login').set(headers).send(principal);
  if (answer.status !== 201) throw new Error(`Sign-in gave ${answer.status} ${answer.text}`);
  return cookieIn(answer);
}

/** `name=value` of the only cookie that an answer sets. */
export function cookieIn(answer: { headers: Record<string, unknown> }): string {
  const cookies = cookiesIn(answer);
  if (cookies.length !== 1) throw new Error(`There are ${cookies.length} cookies.`);
  return String(cookies[0]?.split(';')[0]);
}

export function cookiesIn({ headers }: { headers: Record<string, unknown> }): string[] {
  return (headers['set-cookie'] as string[] | undefined) ?? [];
}
