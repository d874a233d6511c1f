import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { SessionRecord } from '../core/model/record.js';
import type { RefusalReason } from '../core/model/session.js';
import { SessionCore } from '../core/session-core.js';
import { ChannelRule } from '../http/channel.js';
import { type Credentials, readCredentials } from '../http/credentials.js';
import type { SessionRequest } from '../http/exchange.js';
import { GuessWatch } from '../http/guess-watch.js';
import { OriginRule } from '../http/origin-rule.js';
import { Refusals } from '../http/refusals.js';
import { SessionCookie } from '../http/session-cookie.js';
import { refusalOf, SessionInvalidException, TooManyGuessesException } from '../session.exceptions.js';
import { type EntryRule, assertEntry } from './entry.js';
import { takeOfferedTokens } from './offered-token.js';
import { PlatformView } from './platform-view.js';
import { SeatWatch } from './seat-watch.js';
import { type Ticket, ticketFor } from './ticket.js';

/** What was shown beside the request, as by `auth: { token }` of socket.io; anything. */
export interface Shown {
  readonly token: unknown;
}

/** Looks at the request that opens a socket, in the order in which the guard looks at others. It is no activity. */
@Injectable()
export class Handshake {
  constructor(
    private readonly core: SessionCore,
    private readonly channels: ChannelRule,
    private readonly origins: OriginRule,
    private readonly cookie: SessionCookie,
    private readonly guesses: GuessWatch,
    private readonly refusals: Refusals,
    private readonly platform: PlatformView,
    private readonly watch: SeatWatch,
  ) {}

  /** Whose request it is; `null` where it shows no token. @throws SessionException */
  examine(request: IncomingMessage, shown?: Shown): Promise<Ticket | null> {
    const view = this.platform.of(request);
    const { changesHeard } = this.watch;
    let record: SessionRecord | null = null;
    return this.telling(
      view,
      async () => {
        const credentials = this.credentialsOf(request, view, shown);
        if (credentials.kind === 'none') return null;
        // A handshake is a GET, but what comes after it is not only reading.
        if (credentials.kind !== 'bearer') this.origins.check({ request: view, isMutation: true }, true);
        if (credentials.kind === 'ambiguous') throw ambiguous();
        const verdict = await this.core.validation.validate(credentials.token, { isActivity: false });
        record = verdict.record;
        if (verdict.reason !== undefined) throw this.refusalOf(verdict.reason, view, credentials.token);
        return ticketFor(verdict, changesHeard);
      },
      () => record,
    );
  }

  /** Whether whose request it is may come in. @throws SessionException */
  async enter(request: IncomingMessage, entry: EntryRule, ticket: Ticket | null): Promise<void> {
    await this.telling(this.platform.of(request), async () => assertEntry(entry, ticket));
  }

  private async telling<T>(
    request: SessionRequest,
    work: () => Promise<T>,
    about: () => SessionRecord | null = () => null,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.refusals.tellOf(request, error, about());
    }
  }

  /** What is shown on purpose outranks a cookie, which browsers add by themselves. */
  private credentialsOf(
    request: IncomingMessage,
    view: SessionRequest,
    shown: Shown | undefined,
  ): Credentials {
    const cookieName = this.cookie.nameOn(this.channels.check(view));
    const explicit = new Set<unknown>(takeOfferedTokens(request));
    const credentials = readCredentials(view, cookieName);
    if (credentials.kind === 'bearer') explicit.add(credentials.token);
    if (shown !== undefined) explicit.add(shown.token);
    if (explicit.size > 1) throw ambiguous();
    const [token] = explicit;
    return explicit.size === 1 ? { kind: 'bearer', token: token as string } : credentials;
  }

  private refusalOf(reason: RefusalReason, request: SessionRequest, token: string): unknown {
    const isGuess = reason === 'malformed' || reason === 'unknown';
    const wait = isGuess ? this.guesses.note(request, String(token)) : null;
    return wait === null ? refusalOf(reason) : new TooManyGuessesException(wait);
  }
}

function ambiguous(): SessionInvalidException {
  return new SessionInvalidException('The request shows more than one token.');
}
