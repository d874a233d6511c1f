import { setTimeout as wait } from 'node:timers/promises';
import type { ListeningConnection } from '../../core/model/cluster-database.js';
import { SessionBus } from '../../core/model/session-bus.js';

const SHORTEST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;

/** LISTEN and NOTIFY, on a connection of its own, which is made anew when it ends. */
export class PostgresBus extends SessionBus {
  private readonly hearers = new Map<string, (message: string) => void>();
  private connection: Promise<ListeningConnection> | null = null;
  private isClosed = false;

  constructor(private readonly connect: () => Promise<ListeningConnection>) {
    super();
  }

  async subscribe(channel: string, hear: (message: string) => void): Promise<void> {
    const connection = await this.connected();
    await connection.listen(channel);
    this.hearers.set(channel, hear);
  }

  async publish(channel: string, message: string): Promise<void> {
    await (await this.connected()).notify(channel, message);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await (await this.connection?.catch(() => null))?.end();
  }

  private connected(): Promise<ListeningConnection> {
    if (this.isClosed) return Promise.reject(new Error('The bus is closed.'));
    this.connection ??= this.open().catch((error: unknown) => {
      this.connection = null;
      throw error;
    });
    return this.connection;
  }

  private async open(): Promise<ListeningConnection> {
    const connection = await this.connect();
    connection.on(
      (channel, message) => this.hearers.get(channel)?.(message),
      () => void this.reopen(),
    );
    for (const channel of this.hearers.keys()) await connection.listen(channel);
    return connection;
  }

  private async reopen(): Promise<void> {
    this.connection = null;
    for (let pause = SHORTEST_PAUSE; !this.isClosed; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      await wait(pause, undefined, { ref: false });
      if (this.isClosed) return;
      const isBack = await this.connected().then(
        () => true,
        () => false,
      );
      if (isBack) return;
    }
  }
}
