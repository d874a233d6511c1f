import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import {
  ActiveSession,
  CurrentSession,
  RequireLevel,
  RequireRole,
  type Role,
  SessionService,
} from 'nestjs-sessions';

@RequireRole('customer')
@Controller('accounts')
export class AccountsController {
  @Get()
  list(@CurrentSession() session: ActiveSession) {
    return { owner: session.userId };
  }

  @RequireLevel(2)
  @Post('transfers')
  transfer(@CurrentSession('userId') from: string) {
    return { from };
  }
}

@RequireRole('admin')
@Controller('staff')
export class StaffController {
  constructor(private readonly sessions: SessionService) {}

  @Get('sessions/:userId')
  list(@Param('userId') userId: string) {
    return this.sessions.list(userId);
  }

  @Post('roles/:userId')
  async setRoles(@Param('userId') userId: string, @Body() { roles }: { roles: Role[] }) {
    return { changed: await this.sessions.setRoles(userId, roles) };
  }

  @Post('purge')
  async purge() {
    return { removed: await this.sessions.purgeExpired() };
  }
}
