import { Logger } from '@nestjs/common';
import { measure } from '../core/model/measurements.js';
import { Deadline } from '../core/outage/deadline.js';
import { Patience } from '../core/outage/patience.js';
import type { PrimaryConnection } from './primary-connection.js';
import type { PurgeSchedule } from './purge-schedule.js';
import type { SessionStatements, StoredTouch } from './session-statements.js';
import type { NotedTouch } from './touch-buffer.js';

/** In one statement; a pause for everybody else on SQLite. */
const TOUCHES_AT_ONCE = 100;

/** Writes activity to the database. What cannot be written is lost, and nothing else is: the next request notes it again. */
export class TouchWriter {
  private readonly logger = new Logger('SessionStore');
  private readonly patience = new Patience();

  constructor(
    private readonly connection: PrimaryConnection,
    private readonly sessions: SessionStatements,
    private readonly schedule: PurgeSchedule,
    private readonly isOnServer: boolean,
  ) {}

  /**
   * @param onSent called once all of it is on its way
   * @returns what found its row locked
   */
  async write(touches: readonly NotedTouch[], onSent: () => void): Promise<readonly NotedTouch[]> {
    const locked: NotedTouch[] = [];
    let written = 0;
    try {
      const statements = inStatements(touches);
      for (const group of statements) {
        let sent = 0;
        const deadline = Deadline.after(expendableIn(group));
        const write = this.connection.write((runner) => {
          // Only now: a connection may have been waited for.
          const timely = group.filter(({ expendableAt }) => expendableAt > performance.now());
          sent = timely.length;
          if (timely.length === 0) return Promise.resolve([]);
          const done = this.sessions.touch(
            runner,
            timely.map((touch) => this.scheduled(touch)),
          );
          // By then it is through TypeORM and the driver. SQLite works inside this process, and ends with it.
          if (this.isOnServer && group === statements.at(-1)) setImmediate(onSent);
          return done;
        }, deadline);
        const passedOver = await this.patience.within(write);
        locked.push(...passedOver);
        written += sent - passedOver.length;
      }
    } catch (error) {
      this.logger.warn(`Activity of ${touches.length} session(s) could not be written: ${String(error)}`);
    }
    measure('touches', { written, dropped: touches.length - written - locked.length });
    return locked;
  }

  private scheduled(touch: NotedTouch): StoredTouch {
    return { ...touch, purgeAfter: this.schedule.purgeAfter(touch.expiresAt) };
  }
}

/** When the last of them is not worth writing any more, in milliseconds from now. */
function expendableIn(touches: readonly NotedTouch[]): number {
  return Math.max(...touches.map(({ expendableAt }) => expendableAt)) - performance.now();
}

/** In one order on all nodes, so that they do not lock each other out, and each session once in a statement. */
function inStatements(touches: readonly NotedTouch[]): NotedTouch[][] {
  const statements: NotedTouch[][] = [];
  for (const touch of touches.toSorted((one, other) => (one.id < other.id ? -1 : 1))) {
    const latest = statements.at(-1);
    const fits = latest !== undefined && latest.length < TOUCHES_AT_ONCE && latest.at(-1)?.id !== touch.id;
    if (fits) latest.push(touch);
    else statements.push([touch]);
  }
  return statements;
}
