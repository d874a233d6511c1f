import { ClusterNode } from '../../src/cluster/cluster-node.js';
import type { NodeTime } from '../../src/cluster/node-time.js';
import type { Member, Membership, NodeRegistry } from '../../src/core/model/node-registry.js';
import type { SessionRecord } from '../../src/core/model/record.js';
import { SessionBus } from '../../src/core/model/session-bus.js';

/** How bad the world is: chances are from 0 to 1, times in milliseconds. */
export interface Weather {
  readonly seed: number;
  readonly loss: number;
  readonly repetition: number;
  readonly longestDelay: number;
  readonly longestQuery: number;
  /** How much faster or slower than real time the clock of a node may be. */
  readonly drift: number;
}

const SERIES = 'series';
const BYTES = 10_000_000;
const ENOUGH_TURNS = 4;

interface Due {
  readonly at: number;
  readonly order: number;
  readonly owner: SimulatedNode | null;
  readonly run: () => void;
}

/**
 * Nodes made of the classes that ship, on a clock, a bus and a database that are simulated. Whatever comes to a node, an
 * answer, a message or a timer, waits while that is stopped, and never comes once it has crashed.
 */
export class SimulatedWorld {
  now = 0;
  /** The version of the one session there is, and the latest that a verb has returned with. */
  version = 0;
  returned = 0;
  readonly nodes: SimulatedNode[] = [];
  readonly database = new SimulatedDatabase(this);
  readonly bus = new Map<string, { owner: SimulatedNode; hear: (message: string) => void }[]>();
  /** What nodes have answered from memory: without any, nothing would be shown. */
  answers = 0;
  private readonly queue: Due[] = [];
  private order = 0;
  private state: number;

  constructor(readonly weather: Weather) {
    this.state = weather.seed | 0;
  }

  /** From 0 to 1, the same again for the same seed (mulberry32). */
  random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  schedule(delay: number, owner: SimulatedNode | null, run: () => void): void {
    this.queue.push({ at: this.now + delay, order: this.order++, owner, run });
  }

  /** @param keeps whether it answers from memory */
  async add(keeps: boolean, hasBus = true): Promise<SimulatedNode> {
    const node = new SimulatedNode(this, keeps, hasBus);
    this.nodes.push(node);
    // A bus that delivers nothing at boot stops it.
    node.cluster.start().catch(() => node.crash());
    return node;
  }

  /** @throws Error where a node answers from a state before a verb that has returned */
  async run(until: number): Promise<void> {
    for (;;) {
      await turns();
      this.look();
      this.queue.sort((one, other) => one.at - other.at || one.order - other.order);
      const next = this.queue[0];
      if (next === undefined || next.at > until) break;
      this.queue.shift();
      this.now = next.at;
      const { owner, run } = next;
      if (owner === null || owner.isRunning) run();
      else if (!owner.hasCrashed) owner.held.push(run);
    }
    this.now = until;
  }

  private look(): void {
    for (const node of this.nodes) {
      const version = node.isRunning ? node.answer() : null;
      if (version === null) continue;
      this.answers++;
      if (version >= this.returned) continue;
      const got = `expected version ${this.returned} or later, got ${version} from memory`;
      throw new Error(`At ${this.now}, after a verb has returned: ${got}`);
    }
  }
}

export class SimulatedNode {
  readonly cluster: ClusterNode;
  hasCrashed = false;
  /** What has come while it was stopped. */
  held: (() => void)[] = [];
  private isStopped = false;
  private readonly rate: number;

  constructor(
    private readonly world: SimulatedWorld,
    readonly keeps: boolean,
    hasBus: boolean,
  ) {
    this.rate = 1 + (2 * world.random() - 1) * world.weather.drift;
    this.cluster = new ClusterNode({
      registry: world.database.registryOf(this),
      bus: hasBus ? new SimulatedBus(world, this) : null,
      maxBytes: keeps ? BYTES : null,
      time: this.time(),
      reporter: { onJoined: () => {}, onLeft: () => {} },
    });
  }

  get isRunning(): boolean {
    return !this.isStopped && !this.hasCrashed;
  }

  /** What it says of the session from memory. */
  answer(): number | null {
    return this.cluster.memory?.recall(SERIES)?.dataVersion ?? null;
  }

  read(): void {
    const { memory } = this.cluster;
    if (memory === null || !this.isRunning) return;
    const read = memory.beginRead();
    this.world.database
      .ask(this, () => this.world.version)
      .then(
        (version) => memory.keep(recordOf(version), read),
        () => {},
      );
  }

  /** Takes away what was there before, or finds that somebody else has. */
  verb(findsNothing: boolean): void {
    if (!this.isRunning) return;
    const { world } = this;
    const change = () => (findsNothing ? world.version : ++world.version);
    const changes = [{ scope: 'session', id: 'session' }] as const;
    world.database
      .ask(this, change)
      .then(
        async (version) => {
          await this.cluster.announcer.announce(changes);
          world.returned = Math.max(world.returned, version);
        },
        () => this.cluster.announcer.announce(changes),
      )
      .catch(() => {}); // it has failed: nothing is promised
  }

  stop(milliseconds: number): void {
    if (!this.isRunning) return;
    this.isStopped = true;
    this.world.schedule(milliseconds, null, () => {
      this.isStopped = false;
      for (const run of this.held.splice(0)) this.world.schedule(0, this, run);
    });
  }

  crash(): void {
    this.hasCrashed = true;
    this.held = [];
  }

  private time(): NodeTime {
    const wait = (milliseconds: number) =>
      new Promise<void>((resolve) => this.world.schedule(milliseconds / this.rate, this, resolve));
    return {
      monotonic: () => this.world.now * this.rate,
      wall: () => this.world.now * this.rate,
      wait,
      rest: wait,
    };
  }
}

/** Where the rows of the registry are; each statement takes time to get there, and its answer to come back. */
class SimulatedDatabase {
  private rows = new Map<string, Member & { isEvicted: boolean; server: number }>();
  /** As the rows were before the last change of each: what a fail-over may come back to. */
  private before = new Map<string, (Member & { isEvicted: boolean; server: number }) | null>();
  private server = 1;
  private knownServer = 0;

  constructor(private readonly world: SimulatedWorld) {}

  /** Runs a statement once it arrives there; fails where another server has taken over meanwhile. */
  ask<T>(asker: SimulatedNode, statement: () => T): Promise<T> {
    const { world, server } = this;
    const delay = () => world.random() * world.weather.longestQuery;
    return new Promise((resolve, reject) => {
      world.schedule(delay(), null, () => {
        if (asker.hasCrashed && world.random() < 0.5) return;
        if (this.server !== server) return world.schedule(delay(), asker, () => reject(new Error('lost')));
        const answer = statement();
        world.schedule(delay(), asker, () => resolve(answer));
      });
    });
  }

  failOver(): void {
    this.server++;
    for (const [id, row] of this.before) {
      if (this.world.random() < 0.5) continue;
      if (row === null) this.rows.delete(id);
      else this.rows.set(id, row);
    }
    this.before.clear();
  }

  registryOf(asker: SimulatedNode): NodeRegistry {
    const ask = <T>(statement: () => T) => this.ask(asker, statement);
    const remove = (ids: readonly string[]) => ask(() => ids.forEach((id) => this.change(id, null)));
    return {
      namespace: async () => 'simulated',
      join: (id, lease) => ask(() => this.change(id, { id, lease, isEvicted: false, server: this.server })),
      renew: (id) =>
        ask(() => {
          const row = this.rows.get(id);
          return row !== undefined && !row.isEvicted && row.server === this.server;
        }),
      leave: remove,
      members: () =>
        ask((): Membership => ({
          members: [...this.rows.values()],
          newServer: this.server === this.knownServer ? null : String(this.server),
        })),
      evict: (ids) =>
        ask(() => {
          for (const id of ids) {
            const row = this.rows.get(id);
            if (row !== undefined) this.change(id, { ...row, isEvicted: true });
          }
        }),
      remove,
      acceptServer: (server) => ask(() => void (this.knownServer = Number(server))),
      close: async () => {},
    };
  }

  private change(id: string, row: (Member & { isEvicted: boolean; server: number }) | null): void {
    this.before.set(id, this.rows.get(id) ?? null);
    if (row === null) this.rows.delete(id);
    else this.rows.set(id, row);
  }
}

class SimulatedBus extends SessionBus {
  constructor(
    private readonly world: SimulatedWorld,
    private readonly owner: SimulatedNode,
  ) {
    super();
  }

  async subscribe(channel: string, hear: (message: string) => void): Promise<void> {
    const hearers = this.world.bus.get(channel) ?? [];
    this.world.bus.set(channel, [...hearers, { owner: this.owner, hear }]);
  }

  async publish(channel: string, message: string): Promise<void> {
    const { world } = this;
    const { loss, repetition, longestDelay } = world.weather;
    for (const { owner, hear } of world.bus.get(channel) ?? []) {
      if (world.random() < loss) continue;
      const times = world.random() < repetition ? 2 : 1;
      for (let time = 0; time < times; time++) {
        world.schedule(world.random() * longestDelay, owner, () => hear(message));
      }
    }
  }

  async close(): Promise<void> {}
}

/** Whatever promises and immediates are due. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < ENOUGH_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function recordOf(dataVersion: number): SessionRecord {
  const record = { id: 'session', seriesHash: SERIES, userId: 'ana', roles: '[]', data: '{}', dataVersion };
  return record as SessionRecord;
}
