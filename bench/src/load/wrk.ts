import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Header } from '../contestants/contestant.js';

const SCRIPT = fileURLToPath(new URL('../../src/load/wrk.lua', import.meta.url));
const run = promisify(execFile);

/** What wrk saw; times in microseconds. */
export interface Load {
  readonly requests: number;
  readonly duration: number;
  readonly p50: number;
  readonly p99: number;
  /** Answers that were no 2xx or 3xx. */
  readonly refused: number;
  /** Requests without an answer. */
  readonly failed: number;
}

/** @throws Error that says what to install */
export async function requireWrk(): Promise<void> {
  const error = await run('wrk', ['--version']).catch((problem: NodeJS.ErrnoException) => problem);
  if ('code' in error && error.code === 'ENOENT') {
    throw new Error('The load is made by wrk. Install it: apt-get install wrk, or brew install wrk.');
  }
}

export interface LoadOptions {
  readonly connections: number;
  readonly seconds: number;
  /** At most, in all. Default: as many as there is time for. */
  readonly perSecond?: number;
}

/** Requests `GET /me` with random ones of these sessions for some seconds. */
export async function load(
  origin: string,
  sessions: readonly Header[],
  { connections, seconds, perSecond }: LoadOptions,
): Promise<Load> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-sessions-bench-'));
  try {
    const file = join(folder, 'sessions');
    await writeFile(file, sessions.map(([name, value]) => `${name}: ${value}\n`).join(''));
    const size = ['-t1', `-c${connections}`, `-d${seconds}s`];
    const pause = perSecond && { BENCH_PAUSE: String(Math.round((connections * 1000) / perSecond)) };
    const env = { ...process.env, ...pause };
    const { stdout } = await run('wrk', [...size, '-s', SCRIPT, `${origin}/me`, '--', file], { env });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Load;
  } finally {
    await rm(folder, { recursive: true });
  }
}
