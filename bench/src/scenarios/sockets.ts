import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { ANYBODY_SIGNED_IN } from '../../../dist/realtime/entry.js';
import { WsServers } from '../../../dist/realtime/ws-servers.js';
import type { Settings } from '../command-line.js';
import type { Tidings, Wish } from '../load/socket-clients.js';
import { heapInUse } from '../measure/heap.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { figure, verdict } from '../report/table.js';
import { type OurApplication, withOurs } from './our-application.js';

const CLIENTS = fileURLToPath(new URL('../load/socket-clients.js', import.meta.url));
/** Bytes of each socket. */
const MEMORY_GOAL = 2_000;
/** Milliseconds for which nothing else is done. */
const BLOCK_GOAL = 50;
const ROUNDS = 3;

interface Outcome {
  /** In bytes, of each socket. */
  readonly plain: number;
  readonly guarded: number;
  /** In milliseconds. */
  readonly untilClosed: number;
  readonly longestBlock: number;
}

/** What thousands of open sockets cost, and what it takes to end them all. */
export async function sockets({ isSmoke }: Settings): Promise<void> {
  const live = isSmoke ? 500 : 10_000;
  const { plain, guarded, untilClosed, longestBlock } = await withOurs({ live }, measure);
  const more = guarded - plain;
  const [all, each] = [live.toLocaleString('en'), (bytes: number) => `${figure(bytes)} bytes`];
  const report = [
    await describeMachine(),
    `${all} sockets of \`ws\`, each of a session of its own, take ${each(guarded)} each, of which ${each(more)} are ours. ` +
      `Goal: at most ${each(MEMORY_GOAL)}; ${verdict(more <= MEMORY_GOAL)}.`,
    `\`revokeEveryone()\` has closed all of them after ${figure(untilClosed)} ms. The event loop stands still for ` +
      `${figure(longestBlock)} ms at most. Goal: ${BLOCK_GOAL} ms; ${verdict(longestBlock <= BLOCK_GOAL)}.`,
  ].join('\n\n');
  print(report);
  if (!isSmoke) await writeSection('sockets', report);
}

async function measure({ app, sessions, tokens }: OurApplication): Promise<Outcome> {
  const clients = new Clients();
  try {
    const servers = { plain: await listen(), guarded: await listen() };
    app.get(WsServers).guard(servers.guarded, ANYBODY_SIGNED_IN);
    const heaps = { plain: 0, guarded: 0 };
    // The first round makes the process as large as it gets.
    for (let round = 0; round < ROUNDS; round++) {
      for (const kind of ['plain', 'guarded'] as const) {
        const before = await settledHeap();
        await clients.open(servers[kind], tokens);
        heaps[kind] = (await settledHeap()) - before;
        await clients.end();
      }
    }
    await clients.open(servers.guarded, tokens);
    await settledHeap();
    const delays = monitorEventLoopDelay({ resolution: 1 });
    const closed = clients.closed();
    const begin = performance.now();
    delays.enable();
    await sessions.revokeEveryone();
    await closed;
    delays.disable();
    return {
      plain: heaps.plain / tokens.length,
      guarded: heaps.guarded / tokens.length,
      untilClosed: performance.now() - begin,
      longestBlock: delays.max / 1e6,
    };
  } finally {
    clients.leave();
  }
}

async function listen(): Promise<WebSocketServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  return server;
}

/** In a process of their own, so that what they do is not taken for the server's. */
class Clients {
  private readonly child = fork(CLIENTS);

  async open(server: WebSocketServer, tokens: readonly string[]): Promise<void> {
    const { port } = server.address() as AddressInfo;
    await this.ask({ open: port, tokens }, 'open');
  }

  end(): Promise<void> {
    return this.ask({ end: true }, 'closed');
  }

  closed(): Promise<void> {
    return this.told('closed');
  }

  leave(): void {
    this.child.disconnect();
  }

  private ask(wish: Wish, tidings: Tidings): Promise<void> {
    const told = this.told(tidings);
    this.child.send(wish);
    return told;
  }

  private async told(tidings: Tidings): Promise<void> {
    const [heard] = (await once(this.child, 'message')) as [Tidings];
    if (heard !== tidings) throw new Error(`The clients are ${heard}, and not ${tidings}.`);
  }
}

/** Once what is closed has been cleared away. */
async function settledHeap(): Promise<number> {
  await wait(500);
  return heapInUse();
}
