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
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
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
    this.tellOfRefusal();
    throw new HttpsRequiredException();
  }

  classify(request: SessionRequest): Channel {
    if (request.protocol === 'https') return 'secure';
    return !this.isProduction && isLoopback(request) ? 'loopback' : 'plain';
  }

  private tellOfExemption(): void {
    if (this.hasToldOfExemption) return;
    this.hasToldOfExemption = true;
    this.logger.log(
      'Sessions over plain HTTP are accepted from this machine, since NODE_ENV is not `production`.',
    );
  }

  private tellOfRefusal(): void {
    if (this.hasToldOfRefusal) return;
    this.hasToldOfRefusal = true;
    this.logger.warn(
      'A request over plain HTTP was refused. If a proxy in front of the application speaks HTTPS, let the platform ' +
        "trust it: `app.set('trust proxy', …)` on Express, `new FastifyAdapter({ trustProxy: … })` on Fastify.",
    );
  }
}

function isLoopback({ headers, socket }: SessionRequest): boolean {
  if (!LOOPBACK_ADDRESS.test(socket.remoteAddress ?? '')) return false;
  if (!LOOPBACK_HOST.test(headers.host ?? String(headers[':authority'] ?? ''))) return false;
  for (const name in headers) if (PROXY_HEADER.test(name)) return false;
  return true;
}
