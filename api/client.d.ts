export type AnyFetch = (input: never, init: never) => Promise<ResponseLike>;

export type EndReason =
  'sign-out' | 'forgotten' | 'idle' | 'session_required' | 'session_invalid' | 'session_expired';

export type Fetch = typeof globalThis extends {
  fetch: infer Native extends (...parameters: never[]) => unknown;
}
  ? Native
  : Send;

export interface SessionClient {
  readonly fetch: Fetch;
  signIn<More extends object = object>(path: string, credentials: object): Promise<SessionInfo & More>;
  signOut(): Promise<boolean>;
  forget(): void;
  socketProtocols(
    url:
      | string
      | {
          readonly href: string;
        },
    ...protocols: readonly [string, ...string[]]
  ): string[];
  socketAuth(
    url:
      | string
      | {
          readonly href: string;
        },
  ): (callback: (auth: SocketCredentials) => void) => void;
  connectionParams(
    url:
      | string
      | {
          readonly href: string;
        },
  ): () => SocketCredentials;
  socketEnded(end: unknown): Promise<string | null>;
  on<Type extends SessionClientEvent['type']>(type: Type, listener: SessionClientListener<Type>): () => void;
}

export declare class SessionClientError extends Error {
  readonly code: string;
  readonly status: number | null;
  readonly body: unknown;
  constructor(code: string, message: string, status?: number | null, body?: unknown);
}

export type SessionClientEvent =
  | {
      readonly type: 'signed-in';
      readonly session: SessionInfo;
    }
  | {
      readonly type: 'renewed';
    }
  | {
      readonly type: 'ended';
      readonly reason: EndReason;
    }
  | ({
      readonly type: 'step-up';
    } & StepUpChallenge);

export type SessionClientListener<Type extends SessionClientEvent['type']> = (
  event: Extract<
    SessionClientEvent,
    {
      type: Type;
    }
  >,
) => void;

export interface SessionClientOptions {
  readonly origin: string;
  readonly insecureInDevelopment?: boolean;
  readonly signOutPath: string;
  readonly statusPath?: string;
  readonly transport?: 'bearer' | 'cookie';
  readonly idleTimeout?: number;
  readonly onStepUp?: (challenge: StepUpChallenge) => unknown;
  readonly fetch?: AnyFetch;
}

export interface SessionInfo {
  readonly id: string;
  readonly userId: string;
  readonly roles: readonly string[];
  readonly level: number;
  readonly createdAt: string;
  readonly authenticatedAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
  readonly client: {
    readonly ip: string | null;
    readonly userAgent: string | null;
    readonly label: string | null;
  };
}

export type SocketCredentials = {
  readonly token?: string;
};

export interface StepUpChallenge {
  readonly maxAge: number | null;
  readonly acrValues: string | null;
}

export declare function createSessionClient(options: SessionClientOptions): SessionClient;

// Not exported, but named by what is.

interface InitLike {
  readonly method?: string;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly redirect?: string;
  readonly credentials?: string;
  readonly duplex?: string;
}

type InputLike =
  | string
  | {
      readonly href: string;
    }
  | RequestLike;

interface RequestLike {
  readonly url: string;
  readonly headers: unknown;
  clone(): RequestLike;
}

interface ResponseLike {
  readonly status: number;
  readonly statusText?: string;
  readonly ok: boolean;
  readonly url?: string;
  readonly redirected?: boolean;
  readonly type?: string;
  readonly headers: {
    get(name: string): string | null;
  };
  readonly body?: unknown;
  clone(): ResponseLike;
  json(): Promise<unknown>;
}

type Send = (input: InputLike, init?: InitLike) => Promise<ResponseLike>;
