import type { Announcement, Announcer } from '../core/model/announcement.js';
import { SessionOptionsError } from '../core/model/errors.js';
import type { NodeRegistry } from '../core/model/node-registry.js';
import type { SessionBus } from '../core/model/session-bus.js';
import type { SessionEvent } from '../core/model/session-event.js';
import { BUS_TEST, LEASE, LEASE_WITHOUT_BUS, RENEWALS_PER_LEASE } from '../core/outage/time-budgets.js';
import type { Neighbours } from '../core/session-core.js';
import { Lease } from './lease.js';
import { isTold } from './messages.js';
import { NearCache } from './near-cache.js';
import { NodeAnnouncer } from './node-announcer.js';
import type { NodeTime } from './node-time.js';
import { Post } from './post.js';

/** What a node tells its operators. */
export interface NodeReporter {
  /** It answers from memory from now on. */
  onJoined(): void;
  /** It asks the database for everything from now on. */
  onLeft(cause: unknown): void;
}

export interface NodeParts {
  readonly registry: NodeRegistry;
  readonly bus: SessionBus | null;
  /** How much to keep in memory; `null`: nothing. */
  readonly maxBytes: number | null;
  readonly time: NodeTime;
  readonly reporter: NodeReporter;
}

type Listener<T> = (heard: T) => void;

/** This process among the others of its application. */
export class ClusterNode implements Neighbours {
  readonly announcer: Announcer;
  readonly memory: NearCache | null;
  private readonly lease: Lease;
  private readonly post: Post | null;
  private readonly nodeAnnouncer: NodeAnnouncer;
  private readonly length: number;
  private readonly stopping = new AbortController();
  private readonly forgetting = new Set<Listener<readonly Announcement[]>>();
  private tellOthersEvent: Listener<SessionEvent> = () => {};
  private beating: Promise<void> = Promise.resolve();
  private isOpen = false;
  private wasMember = false;

  constructor(private readonly parts: NodeParts) {
    const { registry, bus, maxBytes, time } = parts;
    this.length = bus === null ? LEASE_WITHOUT_BUS : LEASE;
    const forgetAll = () => this.memory?.forget([{ scope: 'all' }]);
    const lease = new Lease(registry, time, this.length, forgetAll);
    const forget = (changes: readonly Announcement[]) => this.forget(changes);
    const hear = (event: SessionEvent) => this.tellOthersEvent(event);
    const post = bus && new Post(bus, { forget, hear, ids: () => lease.ids });
    this.lease = lease;
    this.post = post;
    this.memory = maxBytes === null ? null : new NearCache(lease, time, maxBytes);
    const maxMessageBytes = bus?.maxMessageBytes ?? Infinity;
    this.nodeAnnouncer = new NodeAnnouncer({ registry, time, post, maxMessageBytes, lease, forget });
    this.announcer = this.nodeAnnouncer;
  }

  /** Whether it may answer from memory. */
  get mayAnswer(): boolean {
    return this.memory !== null && this.lease.mayAnswer();
  }

  /** Calls the listener whenever something is announced, by this node or another: at once, not when all have heard of it. */
  onForgetting(listener: Listener<readonly Announcement[]>): void {
    this.forgetting.add(listener);
  }

  /** Calls the listener with what happens on other nodes. */
  onEventOfOthers(listener: Listener<SessionEvent>): void {
    this.tellOthersEvent = listener;
  }

  tell(event: SessionEvent): void {
    if (this.isOpen && isTold(event)) this.post?.tell(event);
  }

  /**
   * Takes up its place, and holds it until `stop`. Where the database or the bus is away it tries again and again.
   * @throws SessionOptionsError where the bus takes messages and delivers none
   */
  async start(): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      this.parts.reporter.onLeft(error);
      if (error instanceof SessionOptionsError) throw error;
    }
    if (this.isOpen) await (this.beating = this.beat());
    void this.live();
  }

  /** Answers from memory no more. Announcements still go out, until `close`. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.beating;
    await this.lease.giveUp().catch(() => {});
  }

  async close(): Promise<void> {
    this.isOpen = false;
    await this.post?.close().catch(() => {});
    await this.parts.registry.close();
  }

  private async live(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.parts.time.rest(this.length / RENEWALS_PER_LEASE, signal);
      if (!signal.aborted) await (this.beating = this.beat());
    }
  }

  /** Never throws: what is not renewed runs out by itself. */
  private async beat(): Promise<void> {
    let failure: unknown = new Error('The bus does not deliver what this node tells itself.');
    try {
      if (!this.isOpen) await this.open();
      const isReached = this.post?.hasHeardItself ?? true;
      void this.post?.ping();
      if (this.memory === null) return;
      if (!isReached) await this.lease.giveUp();
      else if (await this.lease.renew()) this.announceNothing();
    } catch (error) {
      failure = error;
    }
    this.report(failure);
  }

  private async open(): Promise<void> {
    if (this.post !== null) {
      const { registry, time, bus } = this.parts;
      await this.post.open(await registry.namespace());
      // More than once: a bus may lose a message.
      for (let tried = 0; tried === 0 || (tried < BUS_TESTS && !this.post.hasHeardItself); tried++) {
        const test = new AbortController();
        await Promise.race([this.post.ping(), time.rest(BUS_TEST / BUS_TESTS, test.signal)]);
        test.abort();
      }
      if (!this.post.hasHeardItself)
        throw new SessionOptionsError('cluster.bus', bus?.constructor.name, SILENT_BUS);
    }
    this.isOpen = true;
  }

  /**
   * What nodes have left behind that were killed would hold up the next change: nobody waits for this. Without a bus each
   * change waits anyway, and nobody could say that it lives: nodes would take each other out for ever.
   */
  private announceNothing(): void {
    if (this.post !== null) this.nodeAnnouncer.announceNothing().catch(() => {});
  }

  private forget(changes: readonly Announcement[]): void {
    this.memory?.forget(changes);
    for (const listener of this.forgetting) listener(changes);
  }

  private report(failure: unknown): void {
    const { isMember } = this.lease;
    if (isMember === this.wasMember) return;
    this.wasMember = isMember;
    if (isMember) this.parts.reporter.onJoined();
    else this.parts.reporter.onLeft(failure);
  }
}

const BUS_TESTS = 5;

const SILENT_BUS =
  `it takes messages, but delivers none within ${BUS_TEST} ms. A pooler in transaction mode does that with LISTEN: give ` +
  'the URL of the database itself as `cluster.directUrl`.';
