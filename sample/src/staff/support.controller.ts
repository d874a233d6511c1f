import { Controller, Delete, Get, HttpCode, HttpStatus, NotFoundException, Param } from '@nestjs/common';
import { ActiveSession, CurrentSession, RequireRole, SessionService } from 'nestjs-sessions';
import { Charges } from './charges.js';
import { UserParams, UserSessionParams } from './staff.dto.js';

/** For the helpdesk: "I have lost my telephone." Administrators may do it too, since `admin` includes `support`. */
@RequireRole('support')
@Controller('staff/users/:username/sessions')
export class SupportController {
  constructor(
    private readonly charges: Charges,
    private readonly sessions: SessionService,
  ) {}

  @Get()
  async list(@CurrentSession() session: ActiveSession, @Param() { username }: UserParams) {
    const user = await this.charges.find(username, session);
    return this.sessions.list(user.id);
  }

  @Delete()
  async endAll(@CurrentSession() session: ActiveSession, @Param() { username }: UserParams) {
    const user = await this.charges.find(username, session);
    return { ended: await this.sessions.revokeAll(user.id) };
  }

  @Delete(':id')
  @HttpCode(HttpStatus.NO_CONTENT)
  async end(@CurrentSession() session: ActiveSession, @Param() { username, id }: UserSessionParams) {
    const user = await this.charges.find(username, session);
    const wasThere = await this.sessions.revoke(id, { userId: user.id });
    if (!wasThere) throw new NotFoundException(`${username} has no such session.`);
  }
}
