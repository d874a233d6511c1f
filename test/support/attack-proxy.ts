import type { INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Platform, TestAppOptions } from './platforms.js';
import { portOf } from './attack-wire.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ProxyRules {
  /** Headers that the proxy sets on what it hands on. */
  readonly adds?: Readonly<Record<string, string>>;
  /** Keep answers to GET, and hand them to everybody. */
  readonly caches?: boolean;
}

/** A reverse proxy on the same machine: it hands on the path, the method and the headers, but for its own `Host`. */
export class TestProxy {
  readonly hits: string[] = [];
  private readonly kept = new Map<string, Answer>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async before(app: INestApplication, { adds = {}, caches = false }: ProxyRules): Promise<TestProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new TestProxy(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', async (incoming, outgoing) => {
      const key = `${incoming.method} ${incoming.url}`;
      const kept = proxy.kept.get(key);
      if (kept) proxy.hits.push(key);
      const answer = kept ?? (await forward(incoming, portOf(app), adds));
      if (caches && incoming.method === 'GET' && isStorable(answer)) proxy.kept.set(key, answer);
      outgoing.writeHead(answer.status, answer.headers).end(answer.body);
    });
    return proxy;
  }

  close(): Promise<unknown> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** A careless shared cache: it takes no notice of `Vary`, of credentials or of cookies, but of `Cache-Control`. */
function isStorable({ headers }: Answer): boolean {
  return (
    /max-age|public/.test(headers['cache-control'] ?? '') &&
    !/no-store|private/.test(String(headers['cache-control']))
  );
}

function forward(
  incoming: IncomingMessage,
  port: number,
  adds: Readonly<Record<string, string>>,
): Promise<Answer> {
  const headers = { ...incoming.headers, host: `127.0.0.1:${port}`, connection: 'close', ...adds };
  const { method, url: path } = incoming;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.on('error', reject);
    incoming.pipe(outgoing);
  });
}

/** An application that trusts the proxy at this address, and no other. */
export function trusting(platform: Platform, address: string): TestAppOptions {
  if (platform === 'fastify') return { trustProxy: address as unknown as boolean };
  return { configure: (app) => (app as NestExpressApplication).set('trust proxy', address) };
}
