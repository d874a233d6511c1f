import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, Assignment, Tasks } from '../application/messages.js';

const MAIN = fileURLToPath(new URL('../application/main.js', import.meta.url));
/** Until it listens, with all of its sessions made. */
const START_PATIENCE = 15 * 60_000;

/** An application in a process of its own. */
export class RunningApplication {
  private readonly pending = new Map<
    number,
    { resolve(result: unknown): void; reject(error: Error): void }
  >();
  private asked = 0;

  private constructor(
    private readonly child: ChildProcess,
    readonly origin: string,
  ) {
    child.on('message', (answer: Answer) => this.settle(answer));
    child.once('exit', (code) => {
      for (const { reject } of this.pending.values())
        reject(new Error(`The application ended with ${code}.`));
    });
  }

  static async start(assignment: Assignment): Promise<RunningApplication> {
    const child = fork(MAIN, [JSON.stringify(assignment)]);
    const signal = AbortSignal.timeout(START_PATIENCE);
    const [message] = (await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`${assignment.id} did not start: it ended with ${code}.`);
      }),
    ])) as [{ port: number }];
    return new RunningApplication(child, `http://127.0.0.1:${message.port}`);
  }

  ask<T extends keyof Tasks>(task: T, ...args: Parameters<Tasks[T]>): Promise<Awaited<ReturnType<Tasks[T]>>> {
    return new Promise((resolve, reject) => {
      const number = this.asked++;
      this.pending.set(number, { resolve: resolve as (result: unknown) => void, reject });
      this.child.send({ number, task, args });
    });
  }

  /** Lets it close, and remove what it made. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }

  private settle(answer: Answer): void {
    const question = this.pending.get(answer.number);
    this.pending.delete(answer.number);
    if ('error' in answer) question?.reject(new Error(answer.error));
    else question?.resolve(answer.result);
  }
}
