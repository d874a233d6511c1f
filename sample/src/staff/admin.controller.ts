import { Body, Controller, Delete, ForbiddenException, Param, Put } from '@nestjs/common';
import {
  ActiveSession,
  CurrentSession,
  RequireRecentAuth,
  RequireRole,
  SessionService,
} from 'nestjs-sessions';
import { UsersService } from '../users/users.service.js';
import { actorOf } from './actor.js';
import { RolesDto, UserParams } from './staff.dto.js';

/** What is on the class holds for every handler in it. */
@RequireRole('admin')
@RequireRecentAuth('5m')
@Controller('staff')
export class AdminController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionService,
  ) {}

  @Put('users/:username/roles')
  async setRoles(
    @CurrentSession() admin: ActiveSession,
    @Param() { username }: UserParams,
    @Body() { roles }: RolesDto,
  ) {
    const user = await this.users.find({ username });
    if (user.id === admin.userId)
      throw new ForbiddenException('Ask another administrator to change your roles.');
    // With the user first, for later sign-ins; then in the sessions there are, for their next request. A sign-in that
    // is under way and has read the old roles is ended.
    await this.users.setRoles(user.id, roles);
    return { username, roles, sessionsChanged: await this.sessions.setRoles(user.id, roles, actorOf(admin)) };
  }

  /** The alarm button, say after a leak of data: everybody signs in again, whoever pressed it included. */
  @Delete('sessions')
  async endEveryones(@CurrentSession() admin: ActiveSession) {
    return { ended: await this.sessions.revokeEveryone({ by: actorOf(admin) }) };
  }
}
