/** What an app may know of its session: the part of a sign-in's answer that is no secret. */
export interface SessionInfo {
  /** Public: it cannot be used in place of the token. */
  readonly id: string;
  /** Who signed in. */
  readonly userId: string;
  /** As the server gave them. */
  readonly roles: readonly string[];
  /** Authenticator assurance level, 1 to 3 (NIST SP 800-63B). */
  readonly level: number;
  /** Times are ISO 8601 strings of the server's clock. */
  readonly createdAt: string;
  /** The last sign-in or step-up. */
  readonly authenticatedAt: string;
  /** The last activity that the server has noted. */
  readonly lastSeenAt: string;
  /** When it ends unless there is activity. */
  readonly expiresAt: string;
  /** Where the session was started, as far as the server records it. */
  readonly client: {
    readonly ip: string | null;
    readonly userAgent: string | null;
    readonly label: string | null;
  };
}

/** What the server asks for before it does what was requested (RFC 9470). */
export interface StepUpChallenge {
  /** How many seconds ago the last sign-in may be at most; `null` if its age does not matter. */
  readonly maxAge: number | null;
  /** The level that the sign-in must have, as a string; `null` if any will do. */
  readonly acrValues: string | null;
}

/**
 * Why a session is over, for this client:
 * - `sign-out`: `signOut()` was called;
 * - `forgotten`: `forget()` was called;
 * - `idle`: nothing was sent for as long as the idle timeout;
 * - the code of the answer with which the server refused the token.
 */
export type EndReason =
  'sign-out' | 'forgotten' | 'idle' | 'session_required' | 'session_invalid' | 'session_expired';

/** What the client tells the app. No event has a token in it. */
export type SessionClientEvent =
  /** A sign-in or a step-up succeeded. */
  | { readonly type: 'signed-in'; readonly session: SessionInfo }
  /** The server has renewed the token. Nothing needs to be done. */
  | { readonly type: 'renewed' }
  /** The token is discarded: show the sign-in. */
  | { readonly type: 'ended'; readonly reason: EndReason }
  /** A request needs a step-up first. Where there is `onStepUp`, that is called next. */
  | ({ readonly type: 'step-up' } & StepUpChallenge);

/** What is called with every event of a type. */
export type SessionClientListener<Type extends SessionClientEvent['type']> = (
  event: Extract<SessionClientEvent, { type: Type }>,
) => void;

interface Entry {
  readonly type: SessionClientEvent['type'];
  readonly listener: (event: never) => void;
}

export interface Listeners {
  on<Type extends SessionClientEvent['type']>(type: Type, listener: SessionClientListener<Type>): () => void;
  emit(event: SessionClientEvent): void;
}

export function createListeners(): Listeners {
  // Replaced, and never changed: whoever subscribes in a listener hears of the next event first.
  let entries: readonly Entry[] = [];
  return {
    on(type, listener) {
      const added: Entry = { type, listener };
      entries = [...entries, added];
      return () => {
        entries = entries.filter((entry) => entry !== added);
      };
    },
    emit(event) {
      for (const { type, listener } of entries) {
        // Called at once. What it throws is an unhandled rejection, and no harm to the request that caused the event.
        if (type === event.type) void (async () => listener(event as never))();
      }
    },
  };
}
