import { type OnGatewayConnection, WebSocketGateway } from '@nestjs/websockets';
import { sessionOf } from 'nestjs-sessions';
import { filter, fromEvent, takeUntil } from 'rxjs';
import type { WebSocket } from 'ws';
import { AccountsService } from './accounts.service.js';

/**
 * What the page is told without asking. Everybody who is signed in may listen, also staff without an account: a socket ends
 * with its session, and so every window knows at once that it is signed out.
 */
@WebSocketGateway({ path: '/news' })
export class NewsGateway implements OnGatewayConnection<WebSocket> {
  constructor(private readonly accounts: AccountsService) {}

  handleConnection(client: WebSocket): void {
    const userId = sessionOf(client)?.userId;
    const arrivals = this.accounts.arrivals.pipe(
      filter(({ ownerId }) => ownerId === userId),
      takeUntil(fromEvent(client, 'close')),
    );
    arrivals.subscribe(({ number, balanceInCents, amountInCents }) => {
      client.send(JSON.stringify({ number, balanceInCents, amountInCents }));
    });
  }
}
