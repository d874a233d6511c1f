import type { EndReason, Listeners, SessionInfo } from './events.js';
import { createIdleClock } from './idle-clock.js';

/** What is held at one moment. It is never changed, only replaced, so that answers can tell whether it is still current. */
export interface Holding {
  /** Not where the browser holds the token, in a cookie. */
  readonly token?: string | undefined;
  /** Not for what a browser may have from before the page was loaded. */
  readonly sessionId?: string;
  /** The number of the sign-in that it came from. */
  readonly signIn: number;
}

/** What a sign-in brings. */
export interface Gain {
  readonly token?: string | undefined;
  readonly session: SessionInfo;
}

/** Holds the token, in a variable of a closure and nowhere else, and decides which answers still concern it. */
export function createHolder(emit: Listeners['emit'], isCookie: boolean, idleTimeout?: number) {
  // Whether a browser has a cookie is not for a page to know.
  let held: Holding | null = isCookie ? { signIn: 0 } : null;
  let begun = 0;
  /** The answer of a sign-in counts only if its number is above this. */
  let settled = 0;
  const clock = createIdleClock(() => end('idle'));

  function end(reason: EndReason): void {
    if (!held) return;
    held = null;
    emit({ type: 'ended', reason });
  }

  return {
    /** As it is, for comparison. */
    current: () => held,

    /** For a request that is sent now. */
    take(): Holding | null {
      clock.touch();
      if (isCookie) held ??= { signIn: 0 };
      return held;
    },

    renew(sent: Holding | null, token: string): void {
      if (!held?.token || held !== sent) return;
      held = { ...held, token };
      emit({ type: 'renewed' });
    },

    /** @returns the number of this sign-in */
    begin: () => ++begun,

    /**
     * The latest sign-in wins, whatever the order of the answers. One that began before a sign-out or `forget()` is
     * void: nobody is signed in by surprise.
     */
    adopt(signIn: number, { token, session }: Gain): boolean {
      if (signIn <= settled) return false;
      // With cookies it is the latest answer that wins.
      if (!isCookie) settled = signIn;
      held = { token, sessionId: session.id, signIn };
      if (!isCookie) clock.start(idleTimeout ?? idleTimeoutOf(session));
      emit({ type: 'signed-in', session });
      return true;
    },

    /** The server has refused what was sent; that is news only if it is still held. */
    refuse(sent: Holding | null, reason: EndReason): void {
      if (held === sent) end(reason);
    },

    /** The person wants it gone, whatever is still under way. */
    discard(reason: EndReason): void {
      settled = begun;
      end(reason);
    },
  };
}

/** Between two times of the server's clock: the clock of a telephone may be wrong. */
function idleTimeoutOf({ expiresAt, lastSeenAt }: SessionInfo): number {
  return Date.parse(expiresAt) - Date.parse(lastSeenAt) || Infinity;
}
