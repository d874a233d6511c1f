import type { ServerDialect } from './dialects/dialect.js';
import type { Deadline } from '../core/outage/deadline.js';
import type { PrimaryConnection } from './primary-connection.js';

/** The clock of the database. */
export class DatabaseClock {
  constructor(
    private readonly connection: PrimaryConnection,
    private readonly server: ServerDialect | null,
  ) {}

  /** How far, in milliseconds, it is ahead of this machine's; 0 where they are the same one. */
  async skew(deadline?: Deadline): Promise<number> {
    const { server } = this;
    if (server === null) return 0;
    return this.connection.read(async (runner) => {
      const asked = Date.now();
      const [row] = (await runner.query(server.clock)) as [{ now: string | number }];
      const answered = Date.now();
      return Math.round(Number(row.now) - (asked + answered) / 2);
    }, deadline);
  }
}
