import { Controller, type MessageEvent, type OnModuleDestroy, Param, Sse } from '@nestjs/common';
import {
  type ActiveSession,
  CurrentSession,
  RequireRole,
  type SessionEvent,
  SessionService,
} from 'nestjs-sessions';
import { concatMap, filter, map, merge, type Observable, Subject, takeUntil, timer } from 'rxjs';
import { Charges } from './charges.js';
import { UserParams } from './staff.dto.js';

const LOOK_EVERY = 15_000;

/**
 * The sessions of a user as they come and go, as server-sent events. A stream ends with the session of whoever watches, and
 * with its role; that is no work of ours.
 */
@RequireRole('support')
@Controller('staff/users/:username/sessions')
export class LiveSessionsController implements OnModuleDestroy {
  private readonly closing = new Subject<void>();

  constructor(
    private readonly charges: Charges,
    private readonly sessions: SessionService,
  ) {}

  @Sse('live')
  async live(
    @CurrentSession() watcher: ActiveSession,
    @Param() { username }: UserParams,
  ): Promise<Observable<MessageEvent>> {
    const { id: userId } = await this.charges.find(username, watcher);
    const news = this.sessions.events.pipe(filter((event) => concerns(event, userId)));
    // By and by too: of a timeout, and of what another process does, this process is not told.
    return merge(timer(0, LOOK_EVERY), news).pipe(
      concatMap(() => this.look(username, watcher.id)),
      map((sessions) => ({ data: { sessions } })),
      takeUntil(this.closing),
    );
  }

  onModuleDestroy(): void {
    this.closing.next();
  }

  /** Whom somebody may look after is asked each time: the roles of both may have changed since the stream began. */
  private async look(username: string, watcherId: string): Promise<ActiveSession[]> {
    const watcher = await this.sessions.get(watcherId);
    if (!watcher?.userId) return [];
    const { id } = await this.charges.find(username, watcher);
    return this.sessions.list(id);
  }
}

/** `revokeEveryone` names no user. */
function concerns({ type, userId }: SessionEvent, watched: string): boolean {
  return type !== 'refused' && (userId === watched || (type === 'revoked' && userId === null));
}
