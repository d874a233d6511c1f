import { Controller, Delete, Get, HttpCode, HttpStatus, NotFoundException, Param } from '@nestjs/common';
import { RequireRole, SessionService } from 'nestjs-sessions';
import { UsersService } from '../users/users.service.js';
import { UserParams, UserSessionParams } from './staff.dto.js';

/** For the helpdesk: "I have lost my telephone." Administrators may do it too, since `admin` includes `support`. */
@RequireRole('support')
@Controller('staff/users/:username/sessions')
export class SupportController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionService,
  ) {}

  @Get()
  async list(@Param() { username }: UserParams) {
    const user = await this.users.find({ username });
    return this.sessions.list(user.id);
  }

  @Delete()
  async endAll(@Param() { username }: UserParams) {
    const user = await this.users.find({ username });
    return { ended: await this.sessions.revokeAll(user.id) };
  }

  @Delete(':id')
  @HttpCode(HttpStatus.NO_CONTENT)
  async end(@Param() { username, id }: UserSessionParams) {
    const user = await this.users.find({ username });
    const wasThere = await this.sessions.revoke(id, { userId: user.id });
    if (!wasThere) throw new NotFoundException(`${username} has no such session.`);
  }
}
