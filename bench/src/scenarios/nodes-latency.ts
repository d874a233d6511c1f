import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { NodeAnswer, NodeAssignment, NodeQuestion } from '../application/messages.js';
import { OwnScene } from '../application/scene.js';
import { REDIS_URL } from '../contestants/session-stores.js';
import { median, quantile } from '../measure/statistics.js';
import { type Cell, figure, table, verdict } from '../report/table.js';

const MAIN = fileURLToPath(new URL('../application/node.js', import.meta.url));
/** At the median, in milliseconds. */
const GOALS: Readonly<Record<number, number>> = { 2: 5, 8: 10 };
/** Until all nodes have joined, and what others have left behind is gone. */
const SETTLING = 4_000;

/** How long `revoke` takes until no node answers from memory any more, while all of them remember the session. */
export async function describeLatency(revocations: number): Promise<string> {
  const rows: Cell[][] = [];
  for (const [bus, nodes] of [
    [null, 1],
    ['postgres', 2],
    ['postgres', 8],
    ['redis', 2],
    ['redis', 8],
    ['table', 2],
    ['table', 8],
  ] as const) {
    const times = await measure(bus, nodes, revocations);
    const goal = bus === 'table' ? undefined : GOALS[nodes];
    const p50 = median(times);
    rows.push([
      bus ?? 'without `cluster`',
      nodes.toString(),
      figure(p50),
      figure(quantile(times, 0.99)),
      goal === undefined ? '' : `≤ ${goal}, ${verdict(p50 <= goal)}`,
    ]);
  }
  return table(['bus', 'nodes', 'p50 ms', 'p99 ms', 'goal for p50'], rows);
}

async function measure(bus: NodeAssignment['bus'], count: number, revocations: number): Promise<number[]> {
  const scene = new OwnScene('fastify', 0, 0);
  const nodes: ChildProcess[] = [];
  try {
    const assignment: NodeAssignment = { url: await scene.postgres(), bus, redisUrl: REDIS_URL };
    // One after the other: the first makes the tables.
    for (let node = 0; node < count; node++) nodes.push(await start(assignment));
    await wait(SETTLING);
    const [first] = nodes as [ChildProcess];
    const users = Array.from({ length: revocations }, (_, number) => `user-${number}`);
    const tokens = (await ask(first, 'create', users)) as string[];
    const ids = (await ask(first, 'show', tokens)) as string[];
    for (const node of nodes.slice(1)) await ask(node, 'show', tokens);
    const warmUp = Math.floor(revocations / 5);
    return ((await ask(first, 'revoke', ids)) as number[]).slice(warmUp);
  } finally {
    await Promise.all(nodes.map(stop));
    await scene.clear();
  }
}

async function start(assignment: NodeAssignment): Promise<ChildProcess> {
  const node = fork(MAIN, [JSON.stringify(assignment)]);
  await once(node, 'message');
  return node;
}

async function ask(node: ChildProcess, task: NodeQuestion['task'], texts: readonly string[]) {
  node.send({ task, texts } satisfies NodeQuestion);
  const [{ results }] = (await once(node, 'message')) as [NodeAnswer];
  return results;
}

async function stop(node: ChildProcess): Promise<void> {
  const ended = once(node, 'exit');
  node.disconnect();
  await ended;
}
