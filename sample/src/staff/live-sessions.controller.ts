import { Controller, type MessageEvent, type OnModuleDestroy, Param, Sse } from '@nestjs/common';
import {
  ActiveSession,
  Background,
  CurrentSession,
  RequireRole,
  type SessionEvent,
  SessionService,
} from 'nestjs-sessions';
import { concatMap, filter, map, merge, type Observable, startWith, Subject, takeUntil, timer } from 'rxjs';
import { Charges } from './charges.js';
import { UserParams } from './staff.dto.js';

const LIFE = 15_000;
const RETRY = 500;

/** The sessions of a user as they come and go, as server-sent events. */
@RequireRole('support')
@Controller('staff/users/:username/sessions')
export class LiveSessionsController implements OnModuleDestroy {
  private readonly closing = new Subject<void>();

  constructor(
    private readonly charges: Charges,
    private readonly sessions: SessionService,
  ) {}

  /**
   * The guard looks when a stream begins, so a stream ends when the session of whoever watches does, or its roles
   * change. What this process is not told of, such as a timeout or another process, is found soon all the same: no
   * stream lives long; the browser asks for the next one by itself, and the guard looks again.
   */
  @Background()
  @Sse('live')
  async live(
    @CurrentSession() watcher: ActiveSession,
    @Param() { username }: UserParams,
  ): Promise<Observable<MessageEvent>> {
    const { id: userId } = await this.charges.find(username, watcher);
    const news = this.sessions.events.pipe(filter((event) => concerns(event, userId)));
    const end = this.sessions.events.pipe(filter((event) => mayShutOut(event, watcher)));
    return news.pipe(
      startWith(null),
      concatMap(() => this.sessions.list(userId)),
      map((sessions) => ({ data: { sessions }, retry: RETRY })),
      takeUntil(merge(end, this.closing, timer(LIFE))),
    );
  }

  onModuleDestroy(): void {
    this.closing.next();
  }
}

/** `revokeEveryone` names no user. */
function concerns({ type, userId }: SessionEvent, watched: string): boolean {
  return type !== 'refused' && (userId === watched || (type === 'revoked' && userId === null));
}

/** `revokeEveryone` names no sessions. */
function mayShutOut(event: SessionEvent, watcher: ActiveSession): boolean {
  if (event.type === 'roles-changed') return event.userId === watcher.userId;
  if (event.type === 'expired') return event.sessionId === watcher.id;
  if (event.type !== 'revoked') return false;
  return event.sessionIds.length === 0 || event.sessionIds.includes(watcher.id);
}
