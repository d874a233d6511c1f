import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import type { SessionModuleOptions } from 'nestjs-sessions';

interface Answer {
  readonly id: number | 'ready' | 'note';
  readonly note?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly code: string | null };
}

/** On the TypeORM that the suite runs on. */
const EXEC_ARGV = process.env['TEST_SQLITE_DRIVER']
  ? ['--import', resolve('test/support/typeorm-1.mjs')]
  : [];

/** A node in a process of its own. */
export class NodeProcess {
  /** What it told without being asked, up to its end. */
  readonly notes: unknown[] = [];
  private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  private asked = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (answer: Answer) => this.hear(answer));
    child.on('exit', () => {
      for (const { reject } of this.waiting.values()) reject(new Error('The process is gone.'));
      this.waiting.clear();
    });
  }

  /** @param skew how far its clock is ahead, in milliseconds; it sets it by the database's as an application does */
  static async start(
    database: DataSourceOptions,
    options: SessionModuleOptions = {},
    skew?: number,
  ): Promise<NodeProcess> {
    return NodeProcess.run('node-process.mjs', { database, options, skew });
  }

  /** @param script of `test/support`, with what it is to know */
  static async run(script: string, given: object): Promise<NodeProcess> {
    const child = fork(resolve('test/support', script), [JSON.stringify(given)], { execArgv: EXEC_ARGV });
    const node = new NodeProcess(child);
    const gone = once(child, 'exit').then(() => {
      throw new Error('The process did not start. It runs what `npm run build` has made.');
    });
    await Promise.race([once(child, 'message'), gone]);
    gone.catch(() => {});
    return node;
  }

  /** `SIGSTOP` stops it as a machine does that has no time for it; `SIGCONT` lets it go on. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** A verb of `SessionService`, or a command of the script. */
  ask<T>(command: string, ...args: unknown[]): Promise<T> {
    const id = this.asked++;
    return new Promise<T>((fulfil, reject) => {
      this.waiting.set(id, { resolve: fulfil as (value: unknown) => void, reject });
      this.child.send({ id, command, args });
    });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const end = [once(this.child, 'exit'), once(this.child, 'disconnect')];
    this.child.kill(signal);
    await Promise.all(end);
  }

  private hear({ id, note, result, error }: Answer): void {
    if (id === 'note') this.notes.push(note);
    if (typeof id !== 'number') return;
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) asked?.reject(Object.assign(new Error(error.message), { code: error.code }));
    else asked?.resolve(result);
  }
}
