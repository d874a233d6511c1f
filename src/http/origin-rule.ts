import { Injectable, Logger } from '@nestjs/common';
import { SessionCore } from '../core/session-core.js';
import { CrossOriginException } from '../session.exceptions.js';
import { isCrossOrigin } from './cross-origin.js';
import type { Exchange } from './exchange.js';
import { quote } from './loopback.js';

const ORIGIN_UNKNOWN =
  "If the page is yours, name its origin: `trustedOrigins: ['https://app.example.com']`. CORS alone opens nothing. If the " +
  "application's origin is wrong there, let the platform trust the proxy in front of it.";

const ORIGIN_WITHHELD =
  'If the page is yours, its `Referrer-Policy` is `no-referrer`, which is the default of helmet, and keeps the origin from you too: ' +
  'set `same-origin`. Pages in a sandbox and files have no origin, and "null" cannot be trusted: anybody\'s page can send it.';

/** Pages of other origins are answered only where they are trusted. */
@Injectable()
export class OriginRule {
  private readonly logger = new Logger('SessionGuard');
  private hasToldOfRefusal = false;

  constructor(private readonly core: SessionCore) {}

  /** @throws CrossOriginException */
  check(exchange: Pick<Exchange, 'request' | 'isMutation'>, changesSession: boolean): void {
    if (!isCrossOrigin(exchange, this.core.options.trustedOrigins, changesSession)) return;
    this.tellOfRefusal(exchange);
    throw new CrossOriginException();
  }

  /** The first one is most likely the developer's own page. */
  private tellOfRefusal({ request }: Pick<Exchange, 'request'>): void {
    if (this.hasToldOfRefusal) return;
    this.hasToldOfRefusal = true;
    const { origin } = request.headers;
    const page = origin === undefined ? 'another site, says the browser' : `a page of ${quote(origin)}`;
    const remedy = origin === 'null' ? ORIGIN_WITHHELD : ORIGIN_UNKNOWN;
    this.logger.warn(
      `A request of ${page} was refused (\`cross_origin\`): the origin of the application is ` +
        `${quote(`${request.protocol}://${request.host ?? ''}`)}, as the platform sees it. ${remedy} docs/cookies-and-browsers.md has more.`,
    );
  }
}
