import {
  createSessionClient,
  type SessionClientEvent,
  type SessionClientOptions,
} from 'nestjs-sessions/client';

export const ORIGIN = 'https://api.example.com';
export const SIGNED_IN_AT = '2026-01-01T00:00:00.000Z';
export const FIFTEEN_MINUTES = 15 * 60_000;

/** A request under way, which the test answers when it likes. */
export interface SentRequest {
  readonly url: string;
  readonly init: RequestInit;
  readonly headers: Headers;
  /** Of `Authorization`. */
  readonly token: string | null;
  answer(status: number, body?: object, headers?: Record<string, string>): Promise<void>;
  answerWith(response: unknown): void;
  fail(): Promise<void>;
}

/** In place of the network. */
class Wire {
  readonly requests: SentRequest[] = [];

  readonly fetch = (input: string | URL | Request, init: RequestInit = {}): Promise<Response> =>
    new Promise((resolve, reject) => {
      const headers = new Headers(init.headers);
      this.requests.push({
        url: input instanceof Request ? input.url : String(input),
        init,
        headers,
        token: headers.get('Authorization')?.replace('Bearer ', '') ?? null,
        answer: async (status, body, answerHeaders = {}) => {
          resolve(new Response(body && JSON.stringify(body), { status, headers: answerHeaders }));
          await settled();
        },
        answerWith: (response) => resolve(response as Response),
        fail: async () => {
          reject(new TypeError('fetch failed'));
          await settled();
        },
      });
    });

  /** The latest request. */
  get last(): SentRequest {
    const request = this.requests.at(-1);
    if (!request) throw new Error('Nothing was sent.');
    return request;
  }
}

/** Until everything that follows from an answer is done. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export function sessionInfo(id = 'session-1') {
  const expiresAt = new Date(Date.parse(SIGNED_IN_AT) + FIFTEEN_MINUTES).toISOString();
  return { id, userId: 'ana', roles: [], level: 1, lastSeenAt: SIGNED_IN_AT, expiresAt };
}

/** The body of a sign-in's answer. */
export function issued(token: string, id?: string) {
  const session = sessionInfo(id);
  return { token, expiresAt: session.expiresAt, session };
}

export const STEP_UP = { code: 'reauthentication_required' };
export const CHALLENGE = {
  'WWW-Authenticate': 'Bearer error="insufficient_user_authentication", max_age="300", acr_values="2"',
};

/** A client on a wire, and all that it tells. */
export function connect(options: Partial<SessionClientOptions> = {}) {
  const wire = new Wire();
  const client = createSessionClient({
    origin: ORIGIN,
    signOutPath: '/auth/sign-out',
    fetch: wire.fetch as never,
    ...options,
  });
  const events: SessionClientEvent[] = [];
  for (const type of ['signed-in', 'renewed', 'ended', 'step-up'] as const) {
    client.on(type, (event) => events.push(event));
  }
  const signIn = async (token: string, id?: string) => {
    const done = client.signIn('/auth/sign-in', { username: 'ana' });
    await wire.last.answer(201, issued(token, id));
    return done;
  };
  /** The token with which a request goes out now. */
  const tokenInUse = () => {
    void client.fetch('/probe').catch(() => {});
    return wire.last.token;
  };
  return { wire, client, events, signIn, tokenInUse };
}
