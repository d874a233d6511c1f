import { Controller, Get } from '@nestjs/common';
import { ActiveSession, Background, CurrentSession, RequireRole, SessionService } from 'nestjs-sessions';
import { Charges } from './charges.js';

/** Who is signed in at this moment, of those whom the watcher may look after. */
@RequireRole('support')
@Controller('staff/signed-in')
export class SignedInController {
  constructor(
    private readonly charges: Charges,
    private readonly sessions: SessionService,
  ) {}

  /** The page asks by itself too: that must not keep the session of the staff alive. */
  @Background()
  @Get()
  async list(@CurrentSession() watcher: ActiveSession) {
    const users = await this.charges.list(watcher);
    const counted = await Promise.all(
      users.map(async ({ id, username, roles }) => {
        return { username, roles, sessions: (await this.sessions.list(id)).length };
      }),
    );
    return counted.filter(({ sessions }) => sessions > 0);
  }
}
