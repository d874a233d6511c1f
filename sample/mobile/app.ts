import { createSessionClient, type SessionClient } from 'nestjs-sessions/client';
import { detail } from './report.js';
import { Wire } from './wire.js';

/** A banking app on a telephone, without its screens. */
export interface App {
  readonly client: SessionClient;
  readonly wire: Wire;
  signIn(username: string): Promise<void>;
  /** Sends a cent from Ana to Ben. */
  sendMoney(): Promise<Response>;
}

/** @param knowsPassword whether whoever holds the telephone can answer when it asks for the password again */
export function startApp(origin: string, knowsPassword = true): App {
  const wire = new Wire();
  const client: SessionClient = createSessionClient({
    origin,
    signOutPath: '/auth/sign-out',
    fetch: wire.fetch,
    onStepUp: async ({ maxAge }) => {
      detail(`  The app asks for the password: it must have been typed in within ${maxAge} seconds.`);
      if (knowsPassword) await client.signIn('/auth/step-up', { password: 'ana-demo-password' });
    },
  });
  client.on('ended', ({ reason }) => detail(`  The app has discarded its token: ${reason}.`));
  return {
    client,
    wire,
    signIn: async (username) => {
      const credentials = { username, password: `${username}-demo-password`, device: 'Telephone' };
      await client.signIn('/auth/sign-in', credentials);
    },
    sendMoney: () =>
      client.fetch('/accounts/transfers', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ from: '10000001', to: '10000003', amountInCents: 1 }),
      }),
  };
}
