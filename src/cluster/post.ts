import { randomBytes } from 'node:crypto';
import type { Announcement } from '../core/model/announcement.js';
import type { SessionBus } from '../core/model/session-bus.js';
import type { SessionEvent } from '../core/model/session-event.js';
import { Acknowledgements } from './acknowledgements.js';
import { type Message, readEvent, readMessage, writeEvent } from './messages.js';

/** What is to be done with what comes. */
export interface Listener {
  forget(changes: readonly Announcement[]): void;
  /** Under which this node acknowledges. */
  ids(): readonly string[];
  hear(event: SessionEvent): void;
}

/** The messages of this node over the bus, and those of others to it. */
export class Post {
  /** Of this process, for its life. */
  private readonly address = randomBytes(16).toString('hex');
  private readonly awaited = new Map<string, Acknowledgements>();
  /** What is to be acknowledged to whom, at the end of this turn of the event loop. */
  private readonly owed = new Map<string, string[]>();
  private announced = 0;
  private pinged = 0;
  private pingHeard = 0;
  private onPing: () => void = () => {};
  private namespace = '';
  private readonly heard = new Set<string>();

  constructor(
    private readonly bus: SessionBus,
    private readonly listener: Listener,
  ) {}

  /** @param namespace of the application: others may use the same bus */
  async open(namespace: string): Promise<void> {
    this.namespace = namespace;
    for (const channel of [this.channel('all'), this.channel(this.address)]) {
      if (this.heard.has(channel)) continue;
      await this.bus.subscribe(channel, (text) => this.hear(text));
      this.heard.add(channel);
    }
  }

  /** Whether all that this node has told itself has arrived. */
  get hasHeardItself(): boolean {
    return this.pingHeard === this.pinged;
  }

  /** Tells itself something. @returns once it has arrived */
  ping(): Promise<void> {
    const number = ++this.pinged;
    this.send(this.address, { kind: 'ping', number });
    return new Promise((resolve) => {
      this.onPing = resolve;
    });
  }

  /** Tells all others, and notes who acknowledges until `end` is called. */
  announce(changes: readonly Announcement[]): { acknowledgements: Acknowledgements; end: () => void } {
    const key = `${this.address}.${++this.announced}`;
    const acknowledgements = new Acknowledgements();
    this.awaited.set(key, acknowledgements);
    this.send('all', { kind: 'announcement', key, from: this.address, changes });
    return { acknowledgements, end: () => void this.awaited.delete(key) };
  }

  /** Tells all others what has happened here; not where it does not fit into a message. */
  tell(event: SessionEvent): void {
    this.send('all', { kind: 'event', from: this.address, event: writeEvent(event) });
  }

  close(): Promise<void> {
    return this.bus.close();
  }

  private hear(text: string): void {
    const message = readMessage(text);
    switch (message?.kind) {
      case 'ping':
        this.pingHeard = Math.max(this.pingHeard, message.number);
        if (this.hasHeardItself) this.onPing();
        return;
      case 'acknowledgement':
        for (const key of message.keys) this.awaited.get(key)?.note(message.by);
        return;
      case 'announcement':
        if (message.from === this.address) return;
        this.listener.forget(message.changes);
        this.acknowledge(message.from, message.key);
        return;
      case 'event': {
        const event = message.from === this.address ? null : readEvent(message.event);
        if (event !== null) this.listener.hear(event);
      }
    }
  }

  private acknowledge(to: string, key: string): void {
    const keys = this.owed.get(to);
    if (keys !== undefined) return void keys.push(key);
    this.owed.set(to, [key]);
    setImmediate(() => {
      const by = this.listener.ids();
      const due = this.owed.get(to) ?? [];
      this.owed.delete(to);
      if (by.length > 0) this.send(to, { kind: 'acknowledgement', keys: due, by });
    });
  }

  /** What does not arrive is not acknowledged, and that is all that counts. */
  private send(to: string, message: Message): void {
    const text = JSON.stringify(message);
    if (Buffer.byteLength(text) > this.bus.maxMessageBytes) return;
    this.bus.publish(this.channel(to), text).catch(() => {});
  }

  private channel(name: string): string {
    return `sessions_${this.namespace}_${name}`;
  }
}
