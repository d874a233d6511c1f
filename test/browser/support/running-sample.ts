import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Platform } from '../../support/platforms.js';

/** Environment variables of the sample. */
export type SampleSettings = Readonly<
  Partial<Record<'TRANSFER_WITHIN' | 'IDLE_TIMEOUT' | 'TRUST_PROXY' | 'NODE_ENV', string>>
>;

/** The built sample in a process and on a port of its own, with a fresh bank. */
export class RunningSample {
  private constructor(
    private readonly process: ChildProcess,
    readonly url: string,
  ) {}

  static async start(platform: Platform, settings: SampleSettings): Promise<RunningSample> {
    const env = {
      ...process.env,
      NODE_ENV: 'development',
      PORT: '0',
      DATABASE: ':memory:',
      PLATFORM: platform,
      ...settings,
    };
    const child = spawn(process.execPath, ['sample/dist/main.js'], { env });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (output += String(chunk)));
    for (;;) {
      const [, url] = /open at (\S+)/.exec(output) ?? [];
      if (url !== undefined) return new RunningSample(child, url);
      if (child.exitCode !== null) throw new Error(`The sample ended at its start:\n${output}`);
      await wait(50);
    }
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await ended;
  }
}
