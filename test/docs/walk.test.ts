import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { pageAt } from './pages.js';
import { differenceBetween, stepsOf } from './transcript.js';

const run = promisify(execFile);
const steps = pageAt('README.md')
  .blocks.filter(({ language }) => language === 'console')
  .flatMap(stepsOf)
  // A test of its own plays the app.
  .filter(({ command }) => command !== 'npm run mobile-client');

let folder: string;
let sample: ChildProcess;
let port: number;
let greeting = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'walk-'));
  port = await freePort();
  const env = {
    ...process.env,
    NODE_ENV: 'development',
    PORT: String(port),
    DATABASE: join(folder, 'bank.sqlite'),
    TRANSFER_WITHIN: '5s',
  };
  sample = spawn(process.execPath, ['sample/dist/main.js'], { env });
  const hear = (chunk: Buffer) => (greeting += chunk.toString());
  sample.stdout?.on('data', hear);
  sample.stderr?.on('data', hear);
  while (!greeting.includes('ada (admin)')) {
    if (sample.exitCode !== null) throw new Error(`The sample ended at its start:\n${greeting}`);
    await wait(50);
  }
});

afterAll(async () => {
  if (sample.exitCode === null) {
    sample.kill('SIGTERM');
    await once(sample, 'exit');
  }
  await rm(folder, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function curl(command: string, TOKEN: string): Promise<string> {
  const here = command.replaceAll('localhost:3000', `127.0.0.1:${port}`);
  const { stdout } = await run('bash', ['-c', `${here} --silent --show-error --max-time 10`], {
    env: { ...process.env, TOKEN },
  });
  return stdout;
}

it('the walk through the sample in the README is what happens', async () => {
  expect(steps.length).toBeGreaterThan(12);
  const differences: unknown[] = [];
  let token = '';
  let newest = '';
  for (const { command, output } of steps) {
    if (command.startsWith('TOKEN=')) {
      token = newest;
    } else if (command.endsWith('npm start')) {
      expect(greeting.trim().replaceAll(String(port), '3000')).toBe(output);
    } else {
      if (output.includes('reauthentication_required')) await wait(5_100);
      const real = await curl(command, token);
      newest = /"token":"(sid_[\w-]+)"/.exec(real)?.[1] ?? newest;
      const difference = differenceBetween(output, real);
      if (difference !== null) differences.push({ command, difference });
    }
  }
  expect(differences).toEqual([]);
});
