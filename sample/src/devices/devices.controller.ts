import { Controller, Delete, Get, HttpCode, HttpStatus, NotFoundException, Param } from '@nestjs/common';
import { ActiveSession, CurrentSession, SessionService } from 'nestjs-sessions';
import { DeviceParams } from './devices.dto.js';

/** "My devices": where I am signed in, and a way to end it. */
@Controller('devices')
export class DevicesController {
  constructor(private readonly sessions: SessionService) {}

  @Get()
  async list(@CurrentSession() current: ActiveSession) {
    const sessions = await this.sessions.list(current.userId);
    return sessions.map(({ id, client, createdAt, lastSeenAt }) => ({
      id,
      name: client.label ?? client.userAgent ?? 'Unknown device',
      ip: client.ip,
      signedInAt: createdAt,
      lastSeenAt,
      isCurrent: id === current.id,
    }));
  }

  @Delete(':id')
  @HttpCode(HttpStatus.NO_CONTENT)
  async end(@CurrentSession('userId') userId: string, @Param() { id }: DeviceParams) {
    // With `userId`, or anybody could end anybody's session whose id they have seen.
    const wasThere = await this.sessions.revoke(id, { userId });
    if (!wasThere) throw new NotFoundException('You are not signed in on such a device.');
  }

  /** Ends all but the one that asks. */
  @Delete()
  async endOthers(@CurrentSession() current: ActiveSession) {
    return { ended: await this.sessions.revokeAll(current.userId, { except: current.id }) };
  }
}
