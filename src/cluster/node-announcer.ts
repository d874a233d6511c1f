import type { Announcement, Announcer } from '../core/model/announcement.js';
import type { NodeRegistry } from '../core/model/node-registry.js';
import { LEASE, LEASE_MARGIN } from '../core/outage/time-budgets.js';
import { AckPatience, Acknowledgements } from './acknowledgements.js';
import type { NodeTime } from './node-time.js';
import type { Post } from './post.js';

/** Room for what a message holds beside its changes. */
const ENVELOPE_BYTES = 200;

/** What is announced together: what was changed before it began, and fits into one message. */
interface Batch {
  readonly changes: Announcement[];
  bytes: number;
  readonly done: Promise<void>;
}

interface Parts {
  readonly registry: NodeRegistry;
  readonly time: NodeTime;
  /** `null`: there is no bus, and nobody acknowledges. */
  readonly post: Post | null;
  readonly maxMessageBytes: number;
  /** Of this node: it need not wait for itself. */
  readonly lease: { readonly ids: readonly string[] };
  readonly forget: (changes: readonly Announcement[]) => void;
}

/**
 * Takes things away from the memory of all nodes. Each node that may answer from memory has a row in the registry. When
 * `announce` returns, each of those has acknowledged that it forgot, or was taken out of the registry, and its lease
 * has run out.
 */
export class NodeAnnouncer implements Announcer {
  private readonly patience = new AckPatience();
  private batch: Batch | null = null;

  constructor(private readonly parts: Parts) {}

  async announce(changes: readonly Announcement[]): Promise<void> {
    const batches = new Set(changes.map((change) => this.add(change)));
    await Promise.all(Array.from(batches, ({ done }) => done));
  }

  /** Takes out of the registry who does not answer, before a change has to wait for it. */
  announceNothing(): Promise<void> {
    return this.run([]);
  }

  private add(change: Announcement): Batch {
    const bytes = Buffer.byteLength(JSON.stringify(change)) + 1;
    const isFull =
      this.batch !== null && this.batch.bytes + bytes + ENVELOPE_BYTES > this.parts.maxMessageBytes;
    if (this.batch === null || isFull) this.batch = this.begin();
    this.batch.bytes += bytes;
    this.batch.changes.push(change);
    return this.batch;
  }

  /** What comes in the same turn of the event loop goes together. */
  private begin(): Batch {
    const changes: Announcement[] = [];
    const done = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      if (this.batch === batch) this.batch = null;
      return this.run(changes);
    });
    const batch: Batch = { changes, bytes: 0, done };
    return batch;
  }

  private async run(changes: readonly Announcement[]): Promise<void> {
    const { registry, time, post, lease, forget } = this.parts;
    forget(changes);
    const began = time.monotonic();
    const { acknowledgements, end } = post?.announce(changes) ?? silence();
    try {
      // A statement of its own, after the change: a node that joins later reads nothing from before it.
      const { members, newServer } = await registry.members();
      const own = new Set(lease.ids);
      const others = members.filter(({ id }) => !own.has(id));
      const ids = others.map(({ id }) => id);
      const patience = post === null ? 0 : this.patience.milliseconds;
      const isInTime = ids.length === 0 || (await this.within(acknowledgements.of(ids), patience));
      if (isInTime && newServer === null) {
        if (ids.length > 0) this.patience.inTime();
        return;
      }
      const left = acknowledgements.missing(ids);
      if (left.length > 0) await registry.evict(left);
      // From the answer on: none of them can have asked later whether it may go on, and been told yes.
      const leases = others.flatMap((other) => (left.includes(other.id) ? [other.lease] : []));
      const longest = Math.max(...leases, newServer === null ? 0 : LEASE);
      // On another server rows may be missing: of nodes that are not known.
      const late = newServer === null ? acknowledgements.of(left) : new Promise<void>(() => {});
      if (await this.within(late, LEASE_MARGIN * longest))
        return this.patience.late(time.monotonic() - began);
      if (left.length > 0) await registry.remove(left);
      if (newServer !== null) await registry.acceptServer(newServer);
    } finally {
      end();
    }
  }

  /** Whether it has happened before so much time is over. */
  private within(happening: Promise<void>, milliseconds: number): Promise<boolean> {
    return Promise.race([happening.then(() => true), this.parts.time.wait(milliseconds).then(() => false)]);
  }
}

function silence() {
  return { acknowledgements: new Acknowledgements(), end: () => {} };
}
