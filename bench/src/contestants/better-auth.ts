import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { fromNodeHeaders } from 'better-auth/node';
import { createHmac, randomBytes } from 'node:crypto';
import { Pool } from 'pg';
import { MeController, useGuard } from '../application/me.js';
import { multiplying, RANDOM_HEX } from '../application/multiply.js';
import { createApp } from '../application/nest.js';
import type { Entry, Header, Scene, Start } from './contestant.js';

const SECRET = randomBytes(32).toString('hex');
const PARALLEL = 20;

export const plain: Start = (scene) => start(scene, false);

/** The session travels in a signed cookie as well, which is believed for 5 minutes. */
export const withCookieCache: Start = (scene) => start(scene, true);

function createAuth(pool: Pool, cookieCache: boolean) {
  return betterAuth({
    database: pool,
    secret: SECRET,
    baseURL: 'http://127.0.0.1',
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    session: { cookieCache: { enabled: cookieCache } },
  });
}

type Auth = ReturnType<typeof createAuth>;

async function start(scene: Scene, cookieCache: boolean): Promise<Entry> {
  const pool = new Pool({ connectionString: await scene.postgres() });
  const auth = createAuth(pool, cookieCache);
  await (await getMigrations(auth.options)).runMigrations();
  const app = await createApp(scene.platform, { controllers: [MeController] });
  useGuard(app, async ({ headers }) => {
    const found = await auth.api.getSession({ headers: fromNodeHeaders(headers) });
    return found?.user.id ?? null;
  });
  const tokens = await fill(auth, pool, scene);
  const { internalAdapter } = await auth.$context;
  return {
    app,
    credentials: async () =>
      cookieCache ? cachedIn(auth, tokens) : [...tokens].map((token) => cookieOf(token)),
    forged: cookieOf([...tokens][0] ?? '', randomBytes(32).toString('hex')),
    revoke: async ([, cookie]) => {
      const token = [...tokens].find((one) => cookie.includes(one));
      if (token === undefined) throw new Error('There was nothing to revoke.');
      tokens.delete(token);
      await internalAdapter.deleteSession(token);
    },
    close: () => pool.end(),
  };
}

/** One user signs up in earnest; the other users and sessions are copies, since every password takes a while to hash. */
async function fill(auth: Auth, pool: Pool, { live, sessions }: Scene): Promise<Set<string>> {
  const { user } = await auth.api.signUpEmail({
    body: { name: 'Ana', email: 'ana@example.com', password: 'ana-demo-password' },
  });
  const copy = (table: string, columns: string, different: Record<string, string>, count: number) =>
    pool.query(multiplying({ table, columns: columns.split(' '), different, count }));
  await copy(
    'user',
    'id name email emailVerified createdAt updatedAt',
    { id: `'user-' || n`, email: `n || '@example.com'` },
    live,
  );
  const { internalAdapter } = await auth.$context;
  const tokens = new Set<string>();
  await inParallel(live, async (n) => {
    const { token } = await internalAdapter.createSession(n === 0 ? user.id : `user-${n}`);
    tokens.add(token);
  });
  const different = {
    id: `'further-' || n`,
    token: `left(${RANDOM_HEX.postgres}, 32)`,
    userId: `'user-' || (n % ${live} + 1)`,
  };
  await copy(
    'session',
    'id expiresAt token createdAt updatedAt ipAddress userAgent userId',
    different,
    sessions - live,
  );
  await pool.query('VACUUM ANALYZE');
  return tokens;
}

/** The cookie that sign-in sets: the token with its signature. */
function cookieOf(token: string, secret = SECRET): Header {
  const signature = createHmac('sha256', secret).update(token).digest('base64');
  return ['Cookie', `better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`];
}

/** Clients whose cached sessions have just been made anew. */
async function cachedIn(auth: Auth, tokens: ReadonlySet<string>): Promise<Header[]> {
  const list = [...tokens];
  const headers: Header[] = [];
  await inParallel(list.length, async (n) => {
    const [name, cookie] = cookieOf(list[n] ?? '');
    const answer = await auth.api.getSession({ headers: new Headers([[name, cookie]]), returnHeaders: true });
    const set = answer.headers.getSetCookie().map((line) => line.split(';')[0]);
    headers.push([
      name,
      [cookie, ...set.filter((pair) => pair?.startsWith('better-auth.session_data='))].join('; '),
    ]);
  });
  return headers;
}

async function inParallel(count: number, job: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await job(next++);
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}
