import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a database that takes time, as over a long line. */
export class DistantServer {
  /** Milliseconds there and back. */
  roundTrip = 0;
  private way: Server | null = null;
  private readonly sockets = new Set<Socket>();

  /** @returns the URL that leads there by this way */
  async lead(url: string): Promise<string> {
    const { port, hostname } = new URL(url);
    this.way = createServer((client) => {
      const server = connect(Number(port || 5432), hostname);
      this.delay(client, server);
      this.delay(server, client);
    });
    await once(this.way.listen(0, '127.0.0.1'), 'listening');
    const through = new URL(url);
    through.host = `127.0.0.1:${(this.way.address() as AddressInfo).port}`;
    return through.href;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.way?.close(resolve) ?? resolve(undefined));
  }

  private delay(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.on('data', (part) => void setTimeout(() => to.writable && to.write(part), this.roundTrip / 2));
  }
}
