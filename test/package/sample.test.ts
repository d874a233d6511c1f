import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DataSource } from 'typeorm';

const TOKEN = /sid_[A-Za-z0-9_-]{70}/;
const PASSWORD = 'ana-demo-password';

/** The sample as `npm start` runs it, on a port and a file of its own. */
class RunningSample {
  output = '';
  private process: ChildProcess | null = null;

  constructor(
    readonly port: number,
    readonly database: string,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const env = {
      ...process.env,
      NODE_ENV: 'development',
      PORT: String(this.port),
      DATABASE: this.database,
      TRANSFER_WITHIN: '5s',
    };
    const child = spawn(process.execPath, ['sample/dist/main.js'], { env });
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    const before = this.output.length;
    while (!this.output.slice(before).includes('The bank is open')) {
      if (child.exitCode !== null) throw new Error(`The sample ended at its start:\n${this.output}`);
      await wait(50);
    }
  }

  async stop(): Promise<void> {
    const child = this.process;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  /** As when the machine loses its power. */
  async crash(): Promise<void> {
    const ended = once(this.process as ChildProcess, 'exit');
    this.process?.kill('SIGKILL');
    await ended;
  }
}

interface Journey {
  readonly exitCode: number | null;
  readonly report: string;
}

/** Runs `journey.sh`, and does what it asks for: restarts the sample in the middle. */
async function travel(sample: RunningSample): Promise<Journey> {
  const journey = spawn('bash', ['sample/journey.sh', sample.url]);
  let report = '';
  let restart: Promise<void> | null = null;
  const hear = (chunk: Buffer) => {
    report += chunk.toString();
    if (restart !== null || !report.includes('press Enter')) return;
    restart = sample
      .stop()
      .then(() => sample.start())
      .finally(() => journey.stdin.end('\n'));
  };
  journey.stdout.on('data', hear);
  journey.stderr.on('data', hear);
  const [exitCode] = (await once(journey, 'close')) as [number | null];
  await restart;
  return { exitCode, report };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Every text of every row of every table. */
async function everythingIn(database: string): Promise<string> {
  const dataSource = await new DataSource({ type: 'sqlite', database }).initialize();
  const tables = (await dataSource.query(`SELECT name FROM sqlite_master WHERE type = 'table'`)) as {
    name: string;
  }[];
  const rows = await Promise.all(tables.map(({ name }) => dataSource.query(`SELECT * FROM "${name}"`)));
  await dataSource.destroy();
  return JSON.stringify(rows);
}

async function sessionsIn(database: string): Promise<string[]> {
  const dataSource = await new DataSource({ type: 'sqlite', database }).initialize();
  const rows = (await dataSource.query(
    'SELECT username FROM sessions JOIN users ON users.id = sessions.user_id',
  )) as { username: string }[];
  await dataSource.destroy();
  return rows.map(({ username }) => username);
}

describe('the sample', () => {
  let folder: string;
  let sample: RunningSample;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sample-'));
    sample = new RunningSample(await freePort(), join(folder, 'bank.sqlite'));
    await sample.start();
  });

  afterAll(async () => {
    await sample.stop();
    await rm(folder, { recursive: true });
  });

  async function post(path: string, body: object, token?: string): Promise<Response> {
    return fetch(sample.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
  }

  async function get(path: string, token: string): Promise<Response> {
    return fetch(sample.url + path, { headers: { Authorization: `Bearer ${token}` } });
  }

  async function signIn(): Promise<string> {
    const answer = await post('/auth/sign-in', { username: 'ana', password: PASSWORD });
    return ((await answer.json()) as { token: string }).token;
  }

  it('goes through the whole journey, with a restart in the middle', async () => {
    const { exitCode, report } = await travel(sample);
    expect({ exitCode, report }).toEqual({ exitCode: 0, report: expect.stringContaining('All is well.') });
    expect(report).not.toMatch(TOKEN);
    // Ana has signed out at the end of it; Sam, who looked, has not.
    expect(await sessionsIn(sample.database)).toEqual(['sam']);
  }, 120_000);

  it('keeps a session through a crash, and has no row of it after sign-out', async () => {
    const token = await signIn();
    await sample.crash();
    await sample.start();
    expect((await get('/me', token)).status).toBe(200);
    expect((await post('/auth/sign-out', {}, token)).status).toBe(204);
    expect((await get('/me', token)).status).toBe(401);
    expect(await sessionsIn(sample.database)).toEqual(['sam']);
  });

  it('has tokens and passwords nowhere in its database', async () => {
    const token = await signIn();
    expect((await get('/me', token)).status).toBe(200);
    const bytes = Buffer.from(token.slice(4, 68), 'base64url');
    const forms = [token, token.slice(4, 68), token.slice(26, 68), bytes.toString('hex'), PASSWORD];
    const texts = await everythingIn(sample.database);
    expect(texts).toContain('"series_hash"');
    expect(texts).not.toMatch(TOKEN);
    for (const form of forms) expect(texts.includes(form)).toBe(false);
    // Nor in what is left between the rows, or in a journal beside the file.
    for (const file of await readdir(folder)) {
      const content = await readFile(join(folder, file));
      for (const form of [...forms, bytes]) expect(content.includes(form)).toBe(false);
    }
  });

  it('moves every cent once, however many transfers come at the same time', async () => {
    const token = await signIn();
    const balances = async () => {
      const accounts = (await (await get('/accounts', token)).json()) as { balanceInCents: number }[];
      return accounts.map(({ balanceInCents }) => balanceInCents);
    };
    const [before = 0, other = 0] = await balances();
    // Each is a tenth of what there is; ten go through, and ten find nothing left.
    const amountInCents = Math.floor(before / 10);
    const transfer = { from: '10000001', to: '10000002', amountInCents };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post('/accounts/transfers', transfer, token)),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([
      ...Array.from({ length: 10 }, () => 200),
      ...Array.from({ length: 10 }, () => 409),
    ]);
    expect(await balances()).toEqual([before - 10 * amountInCents, other + 10 * amountInCents]);
  });

  it('lets support look after customers, and after no colleague', async () => {
    const sign = async (username: string) => {
      const answer = await post('/auth/sign-in', { username, password: `${username}-demo-password` });
      return (await answer.json()) as { token: string; session: { id: string } };
    };
    const [ada, sam] = [await sign('ada'), await sign('sam')];
    await sign('ben');
    const statusOf = async (method: string, path: string, { token }: { token: string }) => {
      const headers = { Authorization: `Bearer ${token}` };
      const answer = await fetch(`${sample.url}/staff/users/${path}`, { method, headers });
      await answer.body?.cancel();
      return answer.status;
    };
    for (const [method, path] of [
      ['GET', 'ada/sessions'],
      ['GET', 'ada/sessions/live'],
      ['DELETE', `ada/sessions/${ada.session.id}`],
      ['DELETE', 'ada/sessions'],
    ] as const) {
      expect([method, path, await statusOf(method, path, sam)]).toEqual([method, path, 403]);
    }
    expect((await get('/me', ada.token)).status).toBe(200);
    expect(await statusOf('GET', 'sam/sessions', ada)).toBe(200);
    expect(await statusOf('DELETE', 'ben/sessions', sam)).toBe(200);
    expect(await statusOf('DELETE', 'sam/sessions', ada)).toBe(200);
    expect((await get('/me', sam.token)).status).toBe(401);
    expect((await post('/auth/sign-out', {}, ada.token)).status).toBe(204);
  });

  it('says at its start who can sign in, and nothing else', () => {
    const lines = sample.output.trim().split('\n');
    expect(lines).toHaveLength(3 * 5); // three starts
    expect(lines.slice(0, 5)).toEqual([
      `The bank is open at ${sample.url}`,
      expect.stringContaining('ana (customer)'),
      expect.stringContaining('ben (customer)'),
      expect.stringContaining('sam (support)'),
      expect.stringContaining('ada (admin)'),
    ]);
    expect(sample.output).not.toMatch(TOKEN);
  });
});
