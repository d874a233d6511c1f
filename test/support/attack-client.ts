import type { SessionPrincipal } from 'nestjs-sessions';
import type { Response, Test } from 'supertest';
import { type Platform, PLATFORMS } from './platforms.js';
import { cookieIn } from './sign-in.js';
import type { TestApp } from './test-app.js';

/** How a client carries its token. */
type Carrier = 'bearer' | 'cookie';
const CARRIERS: readonly Carrier[] = ['bearer', 'cookie'];

/** Every platform with every carrier. */
export const WAYS = PLATFORMS.flatMap((platform: Platform) =>
  CARRIERS.map((carrier) => ({ platform, carrier })),
);

/** Speaks to an application as an app or a browser would, with whatever token it is told to show. */
export class AttackClient {
  constructor(
    private readonly app: () => Pick<TestApp, 'http'>,
    private readonly carrier: Carrier,
  ) {}

  /** The header that shows a token. */
  headers(token: string): Record<string, string> {
    return this.carrier === 'bearer' ? { Authorization: `Bearer ${token}` } : { Cookie: `sid=${token}` };
  }

  /** The token of a sign-in; with `shown`, on a request that shows that token. */
  async signIn(principal: SessionPrincipal = { userId: 'ana' }, shown?: string): Promise<string> {
    const path = this.carrier === 'bearer' ? '/login' : '/web/login';
    const answer = await this.post(path, shown).send(principal);
    if (answer.status !== 201) throw new Error(`Sign-in gave ${answer.status} ${answer.text}`);
    return tokenIn(answer);
  }

  get(path: string, token?: string): Test {
    return this.app()
      .http.get(path)
      .set(token === undefined ? {} : this.headers(token));
  }

  post(path: string, token?: string): Test {
    return this.app()
      .http.post(path)
      .set(token === undefined ? {} : this.headers(token));
  }

  signOut(token: string): Test {
    return this.post(this.carrier === 'bearer' ? '/logout' : '/web/logout', token);
  }

  /** `200`, or status and code of the refusal. */
  async try(token: string, path = '/me'): Promise<string> {
    return verdictOf(await this.get(path, token));
  }

  /** The token of a renewal that an answer carries. */
  renewedIn(answer: Response): string | null {
    if (this.carrier === 'bearer') return (answer.headers['session-token'] as string | undefined) ?? null;
    return answer.headers['set-cookie'] ? (cookieIn(answer).split('=')[1] as string) : null;
  }
}

export function verdictOf({ status, body }: Pick<Response, 'status' | 'body'>): string {
  return status < 400 ? String(status) : `${status} ${(body as { code?: string }).code}`;
}

/** The token that a sign-in delivers, by body or by cookie. */
function tokenIn(answer: Response): string {
  const { token } = answer.body as { token?: string };
  return token ?? (cookieIn(answer).split('=')[1] as string);
}
