import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { InMemorySessionStore, TestClock } from 'nestjs-sessions/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import { setImmediate as giveWay } from 'node:timers/promises';
import type { SessionCluster } from '../../src/cluster/session-cluster.js';
import type { Announcement } from '../../src/core/model/announcement.js';
import type { SessionRecord } from '../../src/core/model/record.js';
import { resolveOptions } from '../../src/core/options/resolve-options.js';
import { SessionCore } from '../../src/core/session-core.js';
import { ANYBODY_SIGNED_IN } from '../../src/realtime/entry.js';
import { SeatWatch } from '../../src/realtime/seat-watch.js';
import { SocketSeats } from '../../src/realtime/socket-seats.js';
import { heapInUse } from '../support/attack-heap.js';
import type { Seat } from '../../src/realtime/seats.js';
import { ticketFor } from '../../src/realtime/ticket.js';

/** Answers late, and not at all while it is down. */
class SlowStore extends InMemorySessionStore {
  isDown = false;
  readonly asked: number[] = [];

  override async findMany(ids: readonly string[]): Promise<SessionRecord[]> {
    await giveWay();
    this.asked.push(ids.length);
    if (this.isDown) throw new Error('The database is away.');
    return super.findMany(ids);
  }
}

const SILENT = {
  onOutage: () => {},
  onRecovery: () => {},
  onSubscriberError: () => {},
  onUnknownRoles: () => {},
};

/** After so many milliseconds it will not come about any more. */
const PATIENCE = 20_000;

class World {
  readonly clock = new TestClock();
  readonly store = new SlowStore();
  readonly core = new SessionCore(resolveOptions({ clock: this.clock.now }), this.store, SILENT);
  announce: (changes: readonly Announcement[]) => void = () => {};
  readonly watch = new SeatWatch(this.core, {
    node: { onForgetting: (listener: typeof this.announce) => void (this.announce = listener) },
  } as unknown as SessionCluster);
  readonly closed: string[] = [];

  async signIn(userId: string): Promise<string> {
    const begun = await this.core.signIn.begin();
    return (await this.core.signIn.create({ principal: { userId }, client: undefined, begun })).token;
  }

  /** As a handshake does. @returns whether it was let in, and what ends the seat */
  async open(token: string, close: (code: string) => void = () => {}): Promise<Seat | null> {
    const { changesHeard } = this.watch;
    const verdict = await this.core.validation.validate(token, { isActivity: false });
    if (verdict.reason !== undefined) return null;
    await giveWay();
    const ticket = ticketFor(verdict, changesHeard);
    const { sessionId, tokenHash, userId } = ticket;
    const seat: Seat = {
      opened: { sessionId, tokenHash },
      userId,
      entry: ANYBODY_SIGNED_IN,
      close: (code) => {
        this.closed.push(code);
        close(code);
      },
    };
    this.watch.sit(seat, ticket);
    return seat;
  }

  async until(holds: () => boolean): Promise<void> {
    const end = Date.now() + PATIENCE;
    while (!holds() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(holds()).toBe(true);
  }
}

const worlds: World[] = [];
const world = (): World => {
  const made = new World();
  worlds.push(made);
  return made;
};
afterEach(() => {
  for (const { watch } of worlds.splice(0)) watch.onApplicationShutdown();
});

describe('seats', () => {
  it('end within `recheckEvery` where another process has ended their sessions, in groups', async () => {
    const here = world();
    const { clock, store, closed } = here;
    const users = Array.from({ length: 1_200 }, (_, at) => `user-${at}`);
    await Promise.all(users.map(async (user) => here.open(await here.signIn(user))));
    const number = await store.mark('user-7');
    await store.deleteByUser('user-7', null, { number, before: null });
    clock.advance('31s');
    await here.until(() => closed.length > 0);
    expect(closed).toEqual(['session_invalid']);
    await here.until(() => store.asked.reduce((sum, count) => sum + count, 0) >= 1_200);
    expect(Math.max(...store.asked)).toBe(500);
    expect(store.asked.length).toBeLessThan(10);
  });

  it.each([
    ['session', (id: string) => ({ scope: 'session', id }) as const],
    ['user', () => ({ scope: 'user', id: 'ana' }) as const],
    ['all', () => ({ scope: 'all' }) as const],
  ])('end at once where another process announces it: %s', async (_, announcement) => {
    const here = world();
    const token = await here.signIn('ana');
    const seat = await here.open(token);
    await here.open(await here.signIn('ben'));
    const { sessionId } = seat!.opened;
    await here.store.delete(sessionId);
    here.announce([announcement(sessionId)]);
    await here.until(() => here.closed.length > 0);
    expect(here.closed).toEqual(['session_invalid']);
  });

  it('end where their row cannot be read, and the others are looked at', async () => {
    const here = world();
    const [broken, other] = await Promise.all(
      ['ana', 'ben'].map(async (user) => here.open(await here.signIn(user))),
    );
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    await here.store.change(broken!.opened.sessionId, {}, { roles: 'customer' });
    await here.store.delete(other!.opened.sessionId);
    here.announce([{ scope: 'all' }]);
    await here.until(() => here.closed.length === 2);
    expect(here.closed).toEqual(['session_invalid', 'session_invalid']);
    expect(logged).toHaveBeenCalledTimes(1);
    logged.mockRestore();
  });

  it('are kept while the store does not answer, until the deadline that was known', async () => {
    const here = world();
    await here.open(await here.signIn('ana'));
    here.store.isDown = true;
    here.clock.advance('29m');
    await here.until(() => here.store.asked.length > 0);
    expect(here.closed).toEqual([]);
    here.clock.advance('1m');
    await here.until(() => here.closed.length > 0);
    expect(here.closed).toEqual(['session_expired']);
  });

  it('go on with activity elsewhere, and are asked for again after an outage', async () => {
    const here = world();
    const token = await here.signIn('ana');
    await here.open(token);
    here.store.isDown = true;
    here.clock.advance('1m');
    await here.until(() => here.store.asked.length > 0);
    here.store.isDown = false;
    here.clock.advance('28m');
    await here.core.validation.validate(token);
    await here.until(() => here.store.asked.length > 1);
    here.clock.advance('2m');
    await here.until(() => here.store.asked.length > 2);
    await giveWay();
    expect(here.closed).toEqual([]);
  });

  it('end with their own token, and not with a newer one of the session', async () => {
    const here = world();
    const token = await here.signIn('ana');
    await here.open(token);
    const { sessionId } = (await here.open(token))!.opened;
    const { token: next } = await here.core.rotation.rotate(sessionId);
    await here.until(() => here.closed.length === 2);
    await here.open(next);
    here.clock.advance('1m');
    await here.until(() => here.store.asked.length > 1);
    expect(here.closed).toEqual(['session_invalid', 'session_invalid']);
  });

  it('end after a renewal, once its grace is over', async () => {
    const here = world();
    const first = await here.signIn('ana');
    await here.core.validation.validate(first);
    await here.open(first);
    for (let hours = 0; hours < 17; hours++) {
      here.clock.advance('15m');
      await here.core.validation.validate(first);
    }
    const verdict = await here.core.validation.validate(first);
    if (verdict.reason !== undefined) throw new Error(verdict.reason);
    const second = await here.core.rotation.renew(verdict);
    await here.core.validation.validate(second);
    here.clock.advance('29s');
    const asked = here.store.asked.length;
    await here.until(() => here.store.asked.length >= asked);
    expect(here.closed).toEqual([]);
    here.clock.advance('31s');
    await here.until(() => here.closed.length > 0);
    expect(here.closed).toEqual(['session_invalid']);
  });

  it('are left by nobody, however handshakes and revocations cross', async () => {
    const here = world();
    for (let round = 0; round < 1_000; round++) {
      const token = await here.signIn('ana');
      const pause = async () => {
        for (let turns = round % 6; turns > 0; turns--) await giveWay();
      };
      let isClosed = false;
      const [seat] = await Promise.all([
        here.open(token, () => (isClosed = true)),
        pause().then(() => here.core.revocation.revokeAll('ana')),
      ]);
      if (seat !== null) await here.until(() => isClosed);
    }
  });

  it('take little memory each', async () => {
    const here = world();
    const verdict = await here.core.validation.validate(await here.signIn('ana'));
    if (verdict.reason !== undefined) throw new Error(verdict.reason);
    const seats = new SocketSeats(here.core, here.watch);
    const clients = Array.from({ length: 10_000 }, () => ({}));
    const before = await heapInUse();
    for (const client of clients) {
      // As a driver gives them: no two records share a text.
      const record = { ...verdict.record, id: randomUUID(), userId: randomUUID() };
      const tokenHash = randomBytes(32).toString('hex');
      const accepted = Object.assign(verdict.with(record), { token: { ...verdict.token, tokenHash } });
      seats.take(client, ticketFor(accepted, 0), ANYBODY_SIGNED_IN, () => {});
    }
    expect(((await heapInUse()) - before) * 2 ** 20).toBeLessThan(clients.length * 2_500);
  });

  it('of thousands are closed a few at a time', async () => {
    const here = world();
    const token = await here.signIn('ana');
    let inThisTurn = 0;
    let most = 0;
    const close = () => {
      most = Math.max(most, ++inThisTurn);
      const end = performance.now() + 0.05;
      while (performance.now() < end);
    };
    for (let at = 0; at < 2_000; at++) await here.open(token, close);
    const counting = setInterval(() => (inThisTurn = 0), 0);
    await here.core.revocation.revokeAll('ana');
    await here.until(() => here.closed.length === 2_000);
    clearInterval(counting);
    expect(most).toBeLessThan(1_000);
  });
});
