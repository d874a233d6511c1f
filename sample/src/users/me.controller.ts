import type { IncomingMessage, ServerResponse } from 'node:http';
import { Body, Controller, Get, HttpCode, HttpStatus, Post, Req, Res } from '@nestjs/common';
import { ActiveSession, Background, CurrentSession, SessionCookie, SessionService } from 'nestjs-sessions';
import { ChangePasswordDto } from './me.dto.js';
import { UsersService } from './users.service.js';

/** No decorator of access: every handler needs a signed-in session unless it says otherwise. */
@Controller('me')
export class MeController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionService,
    private readonly cookie: SessionCookie,
  ) {}

  @Get()
  async show(@CurrentSession() session: ActiveSession) {
    const { username } = await this.users.find({ id: session.userId });
    return { username, session };
  }

  /** For the countdown of the page, which asks by itself: that must not keep the session alive. */
  @Background()
  @Get('session')
  status(@CurrentSession() { id, roles, expiresAt }: ActiveSession) {
    // A span and no time of day: the browser's clock may be wrong.
    return { id, roles, expiresInMs: expiresAt.getTime() - Date.now() };
  }

  @Post('password')
  @HttpCode(HttpStatus.OK)
  async changePassword(
    @CurrentSession() session: ActiveSession,
    @Body() body: ChangePasswordDto,
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
  ) {
    await this.users.verify({ id: session.userId }, body.oldPassword);
    await this.users.setPassword(session.userId, body.newPassword);
    // Whoever has learned the old password may be signed in with it. After the change and not before: a sign-in with
    // the old password that is under way is ended too.
    await this.sessions.revokeAll(session.userId, { except: session.id });
    // Or of this very token: hence a new one, by the way that the client has it.
    const { token } = await this.sessions.rotate(session.id);
    if (request.headers.authorization !== undefined) return { token };
    this.cookie.set(response, token);
    return {};
  }
}
