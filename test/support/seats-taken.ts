import type { INestApplicationContext } from '@nestjs/common';
import { SeatWatch } from '../../src/realtime/seat-watch.js';

interface Insides {
  readonly seats: { readonly bySession: Map<string, object>; readonly byUser: Map<string, object> };
  readonly wheel: { readonly ticks: Map<number, object> };
}

export const NOBODY = { sessions: 0, users: 0, planned: 0 };

/** How much the application keeps of sockets: of sessions and users that have any, and of times to look at them. */
export function seatsTaken(app: INestApplicationContext) {
  const { seats, wheel } = app.get(SeatWatch, { strict: false }) as unknown as Insides;
  return { sessions: seats.bySession.size, users: seats.byUser.size, planned: wheel.ticks.size };
}
