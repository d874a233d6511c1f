import { setTimeout as wait } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { LEASE } from '../../core/outage/time-budgets.js';
import type { LoneConnection, ServerDialect } from '../dialects/dialect.js';

/** Runs statements outside of the pool, which may be exhausted. A connection that fails or is silent gives way to a new one. */
export class OwnConnection {
  private opening: Promise<LoneConnection> | null = null;
  private isClosed = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: ServerDialect,
  ) {}

  async query(sql: string, parameters: readonly unknown[] = []): Promise<readonly object[]> {
    if (this.isClosed) throw new Error('The connection was closed.');
    const opening = (this.opening ??= this.dialect.connectAlone(this.dataSource));
    const answered = new AbortController();
    // Longer than a lease nobody waits for an answer that would renew it.
    const silence = wait(LEASE, undefined, { ref: false, signal: answered.signal }).then(() => {
      throw new Error(`No answer within ${LEASE} ms.`);
    });
    try {
      return await Promise.race([opening.then((connection) => connection.query(sql, parameters)), silence]);
    } catch (error) {
      this.discard(opening);
      throw error;
    } finally {
      silence.catch(() => {});
      answered.abort();
    }
  }

  close(): void {
    this.isClosed = true;
    if (this.opening !== null) this.discard(this.opening);
  }

  private discard(opening: Promise<LoneConnection>): void {
    if (this.opening === opening) this.opening = null;
    opening.then((connection) => connection.destroy()).catch(() => {});
  }
}
