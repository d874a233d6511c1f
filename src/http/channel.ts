import { Logger } from '@nestjs/common';
import { HttpsRequiredException } from '../session.exceptions.js';
import type { SessionRequest } from './exchange.js';

/**
 * How a request came:
 * - `secure`: over HTTPS;
 * - `loopback`: from this very machine, in development;
 * - `plain`: over HTTP, where `requireHttps` is off.
 */
export type Channel = 'secure' | 'loopback' | 'plain';

const LOOPBACK_ADDRESS = /^(?:::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/;
/** Names below `localhost` too: they lead to this machine (RFC 6761 §6.3). */
const LOOPBACK_HOST = /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
/** A proxy on the same machine makes every request look like loopback; these give it away. */
const PROXY_HEADER =
  /^(?:forwarded|via|x-forwarded(?:-.*)?|x-real-ip|x-client-ip|x-cluster-client-ip|x-original-.*|x-scheme|x-url-scheme|front-end-https|true-client-ip|cf-.*)$/;

/** Sessions travel over HTTPS (OWASP MASVS; NIST SP 800-63B). */
export class ChannelRule {
  private readonly logger = new Logger('SessionGuard');
  private readonly isProduction = process.env['NODE_ENV'] === 'production';
  private hasToldOfExemption = false;
  private hasToldOfRefusal = false;

  constructor(private readonly requireHttps: boolean) {
    if (requireHttps) return;
    this.logger.warn(
      'Sessions are accepted over plain HTTP (`requireHttps: false`): whoever is on the way can take them.',
    );
  }

  /** @throws HttpsRequiredException */
  check(request: SessionRequest): Channel {
    const channel = this.classify(request);
    if (channel === 'loopback') this.tellOfExemption();
    if (channel !== 'plain' || !this.requireHttps) return channel;
    this.tellOfRefusal(request);
    throw new HttpsRequiredException();
  }

  classify(request: SessionRequest): Channel {
    if (request.protocol === 'https') return 'secure';
    return this.objectionTo(request) === null ? 'loopback' : 'plain';
  }

  /** Why a request over plain HTTP is not taken for one of the developer's own; `null` where it is. */
  private objectionTo(request: SessionRequest): string | null {
    return this.isProduction ? 'NODE_ENV is `production`' : objectionToLoopback(request);
  }

  private tellOfExemption(): void {
    if (this.hasToldOfExemption) return;
    this.hasToldOfExemption = true;
    this.logger.log(
      'Sessions over plain HTTP are accepted from this machine, since NODE_ENV is not `production`.',
    );
  }

  private tellOfRefusal(request: SessionRequest): void {
    if (this.hasToldOfRefusal) return;
    this.hasToldOfRefusal = true;
    this.logger.warn(
      `A request over plain HTTP was refused: ${this.objectionTo(request)}. If a proxy in front of the application ` +
        "speaks HTTPS, let the platform trust it: `app.set('trust proxy', …)` on Express, `new FastifyAdapter({ trustProxy: … })` on Fastify.",
    );
  }
}

function objectionToLoopback(request: SessionRequest): string | null {
  const { headers, socket } = request;
  const peer = socket.remoteAddress ?? '';
  const host = headers.host ?? String(headers[':authority'] ?? '');
  const version = (request.raw ?? request).httpVersion;
  if (!LOOPBACK_ADDRESS.test(peer)) return `it came from ${quote(peer)}, which is not this machine`;
  if (!LOOPBACK_HOST.test(host)) return `its Host is ${quote(host)}, which is not this machine`;
  // nginx speaks 1.0 to what is behind it, and adds no header of its own, unless it is told otherwise; no browser does.
  if (!(Number(version) >= 1.1)) return `it is HTTP/${version ?? '?'}, as some proxies speak it`;
  for (const name in headers)
    if (PROXY_HEADER.test(name)) return `it has the header ${quote(name)}, as of a proxy`;
  return null;
}

/** What strangers have sent, as one short line of the log. */
function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
