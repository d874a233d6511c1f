import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

type Link = { readonly client: Socket; readonly server: Socket; isSilent: boolean; held: (() => void)[] };

/** Stands between a data source and its database, and fails in the ways that networks and servers do. */
export class TcpProxy {
  private readonly links = new Set<Link>();
  private server: Server | null = null;
  private isSilent = false;
  private listeningOn = 0;

  private constructor(private target: { readonly host: string; readonly port: number }) {}

  static async to(host: string, port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy({ host, port });
    await proxy.open();
    return proxy;
  }

  get port(): number {
    return this.listeningOn;
  }

  /** New connections go to another server on the same host from now on; those that are there stay where they are. */
  moveTo(port: number): void {
    this.target = { ...this.target, port };
  }

  /** The server is stopped: connections break, new ones are refused. */
  async refuse(): Promise<void> {
    const closed = this.server && once(this.server, 'close');
    this.server?.close();
    this.server = null;
    this.reset();
    await closed;
  }

  /** The server is there again. */
  async open(): Promise<void> {
    const server = createServer({ keepAlive: false }, (client) => this.link(client));
    server.listen(this.listeningOn, '127.0.0.1');
    await once(server, 'listening');
    this.server = server;
    this.listeningOn = (server.address() as AddressInfo).port;
  }

  /** The network goes silent: connections stay, new ones are made, and nothing arrives any more. */
  silence(): void {
    this.isSilent = true;
    for (const link of this.links) link.isSilent = true;
  }

  /** It works again, and what was sent meanwhile arrives, as by TCP's retransmissions. */
  heal(): void {
    this.isSilent = false;
    for (const link of this.links) {
      link.isSilent = false;
      for (const deliver of link.held.splice(0)) deliver();
      if (link.client.destroyed) link.server.end();
      if (link.server.destroyed) link.client.end();
    }
  }

  /** It works again for new connections; nobody will ever hear of the old ones. */
  forget(): void {
    this.isSilent = false;
    for (const { server } of this.links) server.destroy();
  }

  /** It works again for new connections; the old ones break: the server is another one now. */
  reset(): void {
    this.isSilent = false;
    for (const { client, server } of this.links) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  private link(client: Socket): void {
    const server = connect(this.target);
    const link: Link = { client, server, isSilent: this.isSilent, held: [] };
    this.links.add(link);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        const deliver = () => void (to.destroyed || to.write(bytes));
        if (link.isSilent) link.held.push(deliver);
        else deliver();
      });
      from.on('error', () => {});
      from.on('close', () => {
        if (!link.isSilent) to.destroy();
        if (client.destroyed && server.destroyed) this.links.delete(link);
      });
    }
  }
}
