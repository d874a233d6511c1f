import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
/** In seconds, so that nobody has to wait for a quarter of an hour to see a session expire. */
const TIMEOUTS = { TRANSFER_WITHIN: '3s', IDLE_TIMEOUT: '6s' };

/** Where the bank is, and how to close it. */
export interface Bank {
  readonly origin: string;
  close(): Promise<void>;
}

/** The bank of the sample, on a port and in a file of its own, with short timeouts. */
export async function openBank(): Promise<Bank> {
  const folder = await mkdtemp(join(tmpdir(), 'bank-'));
  const env = {
    ...process.env,
    ...TIMEOUTS,
    NODE_ENV: 'development',
    PORT: '0',
    DATABASE: join(folder, 'bank.sqlite'),
  };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  // However this process ends, the bank is not left open.
  const stop = () => void child.kill('SIGTERM');
  process.once('exit', stop);
  const close = async () => {
    const isRunning = child.exitCode === null && child.signalCode === null;
    if (isRunning) {
      const ended = once(child, 'exit');
      stop();
      await ended;
    }
    process.off('exit', stop);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { origin: await originOf(child), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function originOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    // Heard to the end: what nobody reads would bring the bank to a halt.
    child.stdout?.on('data', (chunk) => {
      output += String(chunk);
      const [, origin] = /The bank is open at (\S+)\n/.exec(output) ?? [];
      if (origin) resolve(origin);
    });
    child.once('exit', () => reject(new Error(`The bank did not open:\n${output}`)));
  });
}
