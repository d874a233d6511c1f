import type { AuthTemplate } from './auth.js';

/** A test that needs no database, for Jest and for Vitest with its globals. */
export function authSpec({ transport, js }: AuthTemplate): string {
  const { headers, issued } = WAYS[transport];
  return `import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { SessionModule } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';
import { AuthModule } from './auth.module${js}';
import { hashPassword } from './passwords${js}';
import { type User, UsersService } from './users.service${js}';

const PASSWORD = 'password of the test';
const passwordHash = hashPassword(PASSWORD);
// A password takes long to check, so that it takes long to guess.
const PATIENCE = 30_000;

/** One user, who is there in this test only. */
class UsersOfTheTest extends UsersService {
  protected override async find(username: string): Promise<User | null> {
    if (username !== 'ana') return null;
    return { id: '1', roles: [], passwordHash: await passwordHash };
  }
}

describe('auth', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const testing = await Test.createTestingModule({
      imports: [
        SessionModule.forRoot({
          transport: '${transport}',
          store: InMemorySessionStore,
        }),
        AuthModule,
      ],
    })
      .overrideProvider(UsersService)
      .useClass(UsersOfTheTest)
      .compile();
    app = testing.createNestApplication();
    await app.listen(0, '127.0.0.1');
  });

  afterAll(() => app.close());

  async function request(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: object,
  ) {
    return fetch(\`\${await app.getUrl()}/auth/\${path}\`, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      body: body && JSON.stringify(body),
    });
  }

  function signIn(credentials: object) {
    return request('POST', 'sign-in', {}, credentials);
  }

  async function signsInAndOut() {
    const answer = await signIn({ username: 'ana', password: PASSWORD });
    expect(answer.status).toBe(201);
    ${issued}
    const session = ${headers};
    const devices = await request('GET', 'devices', session);
    expect(await devices.json()).toEqual([
      expect.objectContaining({ isCurrent: true }),
    ]);
    expect((await request('POST', 'sign-out', session)).status).toBe(204);
    expect((await request('GET', 'devices', session)).status).toBe(401);
  }

  async function refuses(credentials: object) {
    const answer = await signIn(credentials);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: 'sign_in_failed' });
  }

  it('signs in, shows the device, and signs out', signsInAndOut, PATIENCE);

  it.each([
    ['a wrong password', { username: 'ana', password: 'guessed' }],
    ['an unknown user', { username: 'ben', password: PASSWORD }],
    ['what is neither', { username: { $ne: null }, password: [] }],
    ['nothing', {}],
  ])('refuses %s', (_, credentials) => refuses(credentials), PATIENCE);

  it('is closed without a session', async () => {
    expect((await request('GET', 'devices')).status).toBe(401);
  });
});
`;
}

const WAYS = {
  bearer: {
    issued: 'const { token } = (await answer.json()) as { token: string };',
    headers: '{ Authorization: `Bearer ${token}` }',
  },
  cookie: {
    issued: "const [cookie = ''] = answer.headers.getSetCookie();",
    headers: "{ Cookie: cookie.split(';')[0] ?? '' }",
  },
} as const;
