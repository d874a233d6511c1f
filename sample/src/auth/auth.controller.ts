import { Body, Controller, Get, Headers, HttpCode, HttpStatus, Post } from '@nestjs/common';
import {
  CurrentSession,
  EndSession,
  Public,
  RequireSession,
  type SessionPrincipal,
  StartSession,
} from 'nestjs-sessions';
import { UsersService } from '../users/users.service.js';
import { SignInDto, StepUpDto } from './auth.dto.js';

// How often somebody may try to guess a password is for the application to limit: by user and by address, with
// @nestjs/throttler for example. It is left out here to keep the sample small.
@Controller('auth')
export class AuthController {
  constructor(private readonly users: UsersService) {}

  @StartSession({
    label: ({ body }: { body: SignInDto }) => body.device,
    name: ({ body }: { body: SignInDto }) => body.username,
  })
  @Post('sign-in')
  async signIn(@Body() { username, password }: SignInDto): Promise<SessionPrincipal> {
    const user = await this.users.verify({ username }, password);
    return { userId: user.id, roles: user.roles };
  }

  /** For browsers: the token is in a cookie, which no script can read. */
  @StartSession({
    transport: 'cookie',
    label: ({ body }: { body: SignInDto }) => body.device,
    name: ({ body }: { body: SignInDto }) => body.username,
  })
  @Post('browser/sign-in')
  signInBrowser(@Body() credentials: SignInDto): Promise<SessionPrincipal> {
    return this.signIn(credentials);
  }

  /**
   * Proves once more who holds the device, before something that matters. The session stays, with its data and roles;
   * its token is a new one, and the old one is dead.
   */
  @StartSession()
  @RequireSession()
  @Post('step-up')
  @HttpCode(HttpStatus.OK)
  async stepUp(
    @CurrentSession('userId') userId: string,
    @Body() { password }: StepUpDto,
  ): Promise<SessionPrincipal> {
    await this.users.verify({ id: userId }, password);
    return { userId };
  }

  /**
   * Whether the browser has a session's cookie, live or not: a page that is opened for the first time need not ask for
   * what it would be refused. Only a hint: whether the session is live, the guard says.
   */
  @Public()
  @Get('browser/cookie')
  cookie(@Headers('cookie') cookies = '') {
    return { isThere: /(?:^|; )(?:__Host-)?sid=/.test(cookies) };
  }

  /** The session is gone before this runs. */
  @EndSession()
  @Post('sign-out')
  @HttpCode(HttpStatus.NO_CONTENT)
  signOut(): void {}
}
