import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, pipeline } from 'node:stream';

export interface TlsProxy {
  readonly url: string;
  close(): Promise<unknown>;
}

/** Speaks HTTPS in front of a server, as a proxy on the same machine does. */
export async function startTlsProxy(target: string): Promise<TlsProxy> {
  const { port } = new URL(target);
  const onwardOf = ({ method, url: path, headers }: IncomingMessage): ClientRequest => {
    const added = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' };
    return request({ host: '127.0.0.1', port, method, path, headers: { ...headers, ...added } });
  };
  const proxy = createServer(selfSigned(), (incoming, outgoing) => {
    const onward = onwardOf(incoming).on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  proxy.on('upgrade', (incoming: IncomingMessage, client: Duplex) => {
    const giveUp = () => client.destroy();
    const onward = onwardOf(incoming).on('response', giveUp).on('error', giveUp);
    onward.on('upgrade', ({ rawHeaders }, server, head) => {
      client.write(`HTTP/1.1 101 Switching Protocols\r\n${linesOf(rawHeaders)}\r\n`);
      client.write(head);
      pipeline(client, server, giveUp);
      pipeline(server, client, () => server.destroy());
    });
    onward.end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `https://localhost:${(proxy.address() as AddressInfo).port}`,
    close: () => {
      const closed = once(proxy.close(), 'close');
      proxy.closeAllConnections();
      return closed;
    },
  };
}

function linesOf(rawHeaders: readonly string[]): string {
  return rawHeaders.map((text, index) => text + (index % 2 === 0 ? ': ' : '\r\n')).join('');
}

function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  try {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
    const subject = ['-subj', '/CN=localhost', '-days', '2', '-out', certFile];
    execFileSync('openssl', ['req', '-x509', ...key, ...subject], { stdio: 'pipe' });
    return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
