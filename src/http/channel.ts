import { Logger } from '@nestjs/common';
import type { ResolvedHttps } from '../core/options/resolve-https.js';
import { HttpsRequiredException } from '../session.exceptions.js';
import { objectionInDevelopment } from './development-hosts.js';
import type { SessionRequest } from './exchange.js';
import { objectionToLoopback } from './loopback.js';

/**
 * How a request came:
 * - `secure`: over HTTPS;
 * - `development`: over HTTP from this very machine, or to a host that the developer has named;
 * - `plain`: over HTTP, where `requireHttps` is off.
 */
export type Channel = 'secure' | 'development' | 'plain';

const DEVELOPING =
  'If it came from a telephone, an emulator, a container or a development proxy of yours, name the host that it is sent ' +
  "to: `requireHttps: { developmentHosts: ['192.168.1.20'] }`, with NODE_ENV=development. docs/developing.md has each case.";

/** Sessions travel over HTTPS (OWASP MASVS; NIST SP 800-63B). */
export class ChannelRule {
  private readonly logger = new Logger('SessionGuard');
  private readonly isProduction = process.env['NODE_ENV'] === 'production';
  private hasToldOfExemption = false;
  private hasToldOfRefusal = false;

  /** Empty unless NODE_ENV is `development`, and nothing else: it may be unset on a server. */
  private readonly developmentHosts: ReadonlySet<string>;

  /** @param requireHttps `null`: plain HTTP is accepted from everywhere */
  constructor(private readonly requireHttps: ResolvedHttps | null) {
    const hosts = requireHttps?.developmentHosts ?? new Set();
    this.developmentHosts = process.env['NODE_ENV'] === 'development' ? hosts : new Set();
    if (requireHttps === null) {
      this.logger.warn(
        'Sessions are accepted over plain HTTP (`requireHttps: false`): whoever is on the way can take them.',
      );
    } else if (this.developmentHosts.size > 0) {
      this.logger.warn(
        `Sessions over plain HTTP to ${[...hosts].join(', ')} are accepted from local networks, since NODE_ENV is ` +
          '`development`: whoever is on such a network can take them.',
      );
    } else if (hosts.size > 0) {
      this.logger.log('`requireHttps.developmentHosts` is ignored, since NODE_ENV is not `development`.');
    }
  }

  /** @throws HttpsRequiredException */
  check(request: SessionRequest): Channel {
    const channel = this.classify(request);
    if (channel === 'development') this.tellOfExemption();
    if (channel !== 'plain' || this.requireHttps === null) return channel;
    this.tellOfRefusal(request);
    throw new HttpsRequiredException();
  }

  classify(request: SessionRequest): Channel {
    if (request.protocol === 'https') return 'secure';
    return this.objectionTo(request) === null ? 'development' : 'plain';
  }

  /** Why a request over plain HTTP is not taken for one of the developer's own; `null` where it is. */
  private objectionTo(request: SessionRequest): string | null {
    if (this.isProduction) return 'NODE_ENV is `production`';
    const objection = objectionToLoopback(request);
    if (objection === null || this.developmentHosts.size === 0) return objection;
    return objectionInDevelopment(request, this.developmentHosts);
  }

  private tellOfExemption(): void {
    // With hosts that were named, it was told at boot.
    if (this.hasToldOfExemption || this.developmentHosts.size > 0) return;
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
        "speaks HTTPS, let the platform trust it: `app.set('trust proxy', …)` on Express, `new FastifyAdapter({ trustProxy: … })` on Fastify." +
        (this.isProduction ? '' : ` ${DEVELOPING}`),
    );
  }
}
