import type { INestApplication } from '@nestjs/common';
import { connect, type AddressInfo } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: Record<string, unknown>;
}

/** Sends header lines just as they are, bytes for characters: what HTTP clients tidy up or refuse to send. */
export function getRaw(
  app: INestApplication,
  path: string,
  headers: readonly string[],
  version = '1.1',
): Promise<RawAnswer> {
  const { port } = app.getHttpServer().address() as AddressInfo;
  const head = [`GET ${path} HTTP/${version}`, `Host: 127.0.0.1:${port}`, 'Connection: close', ...headers];
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'));
    });
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(parse(Buffer.concat(chunks).toString())));
  });
}

function parse(text: string): RawAnswer {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  return {
    status: Number(head.split(' ')[1]),
    head,
    body: body.startsWith('{') ? (JSON.parse(body) as Record<string, unknown>) : {},
  };
}
