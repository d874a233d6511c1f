import { NearCache } from '../../../dist/cluster/near-cache.js';
import type { NodeTime } from '../../../dist/cluster/node-time.js';
import { NOBODY_TO_TELL } from '../../../dist/core/model/announcement.js';
import { resolveOptions } from '../../../dist/core/options/resolve-options.js';
import { SessionCore } from '../../../dist/core/session-core.js';
import { InMemorySessionStore } from '../../../dist/testing/index.js';
import { SessionService } from '../library.js';
import { type Cell, figure, table } from '../report/table.js';

const MINUTE = 60_000;
const NODES = [1, 2, 4, 8, 40];
const REQUESTS_PER_MINUTE = [1, 4, 12, 60];
/** Of each session, before anything is counted. */
const WARM_UP = 2 * MINUTE;
const LIFE = 60 * MINUTE;
const ENOUGH_BYTES = 2 ** 30;
const SILENT = { onOutage() {}, onRecovery() {}, onSubscriberError() {}, onUnknownRoles() {} };

/** What requests make the store do. */
interface Counts {
  requests: number;
  lookUps: number;
  touches: number;
}

/**
 * How many look-ups requests cost, by how often a session is used and how many nodes there are: the classes that ship, on
 * a clock that is simulated, with the default timeouts. Requests come at random times, and go to any of the nodes.
 */
export async function describeHits(sessions: number): Promise<string> {
  const head = ['requests a minute', ...NODES.map((count) => `${count} nodes`), 'touches'];
  const rows: Cell[][] = [];
  for (const perMinute of REQUESTS_PER_MINUTE) {
    const counts: Counts[] = [];
    for (const nodes of NODES) counts.push(await simulate(nodes, perMinute, sessions));
    const shares = counts.map(({ lookUps, requests }) => figure(lookUps / requests));
    const [{ touches, requests }] = counts as [Counts];
    rows.push([perMinute.toString(), ...shares, figure(touches / requests)]);
  }
  return table(head, rows);
}

async function simulate(nodes: number, perMinute: number, sessions: number): Promise<Counts> {
  let now = Date.UTC(2025, 0);
  const counts: Counts = { requests: 0, lookUps: 0, touches: 0 };
  const cores = nodesOn(storeThatCounts(counts), () => now, nodes);
  const service = new SessionService(cores[0] as SessionCore);
  const pause = () => Math.ceil((-Math.log(1 - Math.random()) * MINUTE) / perMinute);
  for (let session = 0; session < sessions; session++) {
    let { token } = await service.create({ userId: `user-${session}` });
    const use = async (end: number) => {
      for (now += pause(); now < end; now += pause()) {
        token = await request(cores[Math.floor(Math.random() * nodes)] as SessionCore, token);
        counts.requests++;
      }
    };
    const before = { ...counts };
    await use(now + WARM_UP);
    Object.assign(counts, before);
    await use(now + LIFE);
  }
  return counts;
}

function nodesOn(store: InMemorySessionStore, clock: () => number, count: number): SessionCore[] {
  const options = resolveOptions({ clock });
  const time = { monotonic: clock } as NodeTime;
  const permission = { isMember: true, mayAnswer: () => true };
  return Array.from({ length: count }, () => {
    const memory = new NearCache(permission, time, ENOUGH_BYTES);
    return new SessionCore(options, store, SILENT, { announcer: NOBODY_TO_TELL, memory });
  });
}

function storeThatCounts(counts: Counts): InMemorySessionStore {
  const store = new InMemorySessionStore();
  const { findBySeries, touch } = store;
  store.findBySeries = (hash) => {
    counts.lookUps++;
    return findBySeries.call(store, hash);
  };
  store.touch = (...args) => {
    counts.touches++;
    return touch.apply(store, args);
  };
  return store;
}

/** @returns the token that the client has from then on */
async function request({ validation, rotation }: SessionCore, token: string): Promise<string> {
  const accepted = await validation.validate(token);
  if (accepted.reason !== undefined) throw new Error(`A live session was refused: ${accepted.reason}.`);
  return (await rotation.renew(accepted)) ?? token;
}
