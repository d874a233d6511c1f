import type { INestApplication } from '@nestjs/common';
import { Agent, request } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Sends many requests, a few at a time, over connections that are kept. */
export class Wire {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor(private readonly app: INestApplication) {}

  send(method: string, path: string, headers: Record<string, string> = {}, body = ''): Promise<WireAnswer> {
    const { agent } = this;
    const length = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const target = { agent, host: '127.0.0.1', port: portOf(this.app), method, path };
    return new Promise((resolve, reject) => {
      const outgoing = request({ ...target, headers: { ...headers, ...length } }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Sends bytes as they are, waits until the server hangs up, or for a moment, and returns all that it said. */
export function sendBytes(app: INestApplication, bytes: string | Buffer, patience = 400): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(portOf(app), '127.0.0.1', () => {
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    });
    const done = (): void => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    socket.setTimeout(patience, done);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', done);
    socket.on('close', done);
  });
}

/** The status of each answer in what a server said. */
export function statusesIn(said: string): number[] {
  return [...said.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

export function portOf(app: INestApplication): number {
  return (app.getHttpServer().address() as AddressInfo).port;
}
