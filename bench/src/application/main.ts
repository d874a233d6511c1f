import 'reflect-metadata';
import type { AddressInfo, Server } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { contestant } from '../contestants/catalogue.js';
import type { Entry, Header } from '../contestants/contestant.js';
import type { Answer, Assignment, Question, Tasks } from './messages.js';
import { startProfile, stopProfile } from './profile.js';
import { countQueries, queries } from './queries.js';
import { OwnScene } from './scene.js';

// A process with one application in it. It says its port, answers questions, and ends when the parent lets go of it.

/** Without a query for so many milliseconds, the last requests have been answered, which nobody waits for. */
const QUIET = 500;

const assignment = JSON.parse(process.argv[2] ?? '{}') as Assignment;
const scene = new OwnScene(assignment.platform, assignment.sessions, assignment.live);
countQueries();
// An interrupt reaches the parent too; the end of it is the time to tidy up.
process.on('SIGINT', () => {});

try {
  const start = await contestant(assignment.id).load();
  const entry = await start(scene);
  answerQuestions(tasksOf(entry));
  const server = entry.app.getHttpServer() as Server;
  if (!server.listening) await entry.app.listen(0, '127.0.0.1');
  if (!process.connected) await end(entry);
  process.once('disconnect', () => void end(entry));
  process.send?.({ port: (server.address() as AddressInfo).port });
} catch (error) {
  await scene.clear();
  throw error;
}

async function end(entry: Entry): Promise<void> {
  for (let before = -1; before !== queries(); await wait(QUIET)) before = queries();
  await entry.app.close();
  await entry.close?.();
  await scene.clear();
  process.exit();
}

function tasksOf(entry: Entry): Tasks {
  return {
    credentials: () => entry.credentials(),
    forged: () => entry.forged,
    revoke: async (header: Header) => {
      await entry.revoke?.(header);
      return entry.revoke !== null;
    },
    usage: () => {
      const { user, system } = process.cpuUsage();
      return { cpu: user + system, queries: queries(), rss: process.memoryUsage.rss() };
    },
    startProfile,
    stopProfile,
  };
}

function answerQuestions(tasks: Tasks): void {
  const known = tasks as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
  process.on('message', ({ number, task, args }: Question) => {
    void (async () => {
      let answer: Answer;
      try {
        answer = { number, result: await known[task]?.(...args) };
      } catch (error) {
        answer = { number, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
      }
      process.send?.(answer);
    })();
  });
}
