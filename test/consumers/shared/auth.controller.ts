import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import {
  CurrentSession,
  EndSession,
  RequireSession,
  type SessionPrincipal,
  StartSession,
} from 'nestjs-sessions';

class Credentials {
  user!: string;
  password!: string;
}

/** A real application has its users in a database, with hashed passwords. */
const USERS: Readonly<Record<string, SessionPrincipal>> = {
  ada: { userId: 'ada', roles: ['admin'] },
  ana: { userId: 'ana', roles: ['customer'] },
  lobby: { userId: 'lobby', roles: ['kiosk'] },
};

@Controller('auth')
export class AuthController {
  @StartSession()
  @Post('sign-in')
  signIn(@Body() { user, password }: Credentials): SessionPrincipal | null {
    return password === `password of ${user}` ? (USERS[user] ?? null) : null;
  }

  @StartSession()
  @RequireSession()
  @Post('step-up')
  stepUp(
    @CurrentSession('userId') userId: string,
    @Body() { password }: Credentials,
  ): SessionPrincipal | null {
    return password === `password of ${userId}` ? { userId, level: 2 } : null;
  }

  @EndSession()
  @Post('sign-out')
  @HttpCode(204)
  signOut(): void {}
}
