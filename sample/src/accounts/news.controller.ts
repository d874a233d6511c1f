import { Controller, type MessageEvent, Sse } from '@nestjs/common';
import { CurrentSession } from 'nestjs-sessions';
import { filter, map, type Observable, startWith } from 'rxjs';
import { AccountsService } from './accounts.service.js';

/**
 * What the page is told without asking, as server-sent events. Everybody who is signed in may listen, also staff without an
 * account: a stream ends with its session, and so every window knows at once that it is signed out.
 */
@Controller('news')
export class NewsController {
  constructor(private readonly accounts: AccountsService) {}

  @Sse()
  listen(@CurrentSession('userId') userId: string): Observable<MessageEvent> {
    return this.accounts.arrivals.pipe(
      filter(({ ownerId }) => ownerId === userId),
      map(({ number, balanceInCents, amountInCents }) => ({
        data: { number, balanceInCents, amountInCents },
      })),
      // The head of the answer comes with the first event.
      startWith({ type: 'welcome', data: '' }),
    );
  }
}
