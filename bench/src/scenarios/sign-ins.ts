import { performance } from 'node:perf_hooks';
import type { Settings } from '../command-line.js';
import type { SessionModuleOptions } from '../library.js';
import { DistantServer } from '../load/distant-server.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { figure, table } from '../report/table.js';
import { type OurApplication, withOurs } from './our-application.js';

const LANES = [16, 64];
/** Milliseconds to a database that is far away, and to one that answers slowly. */
const ROUND_TRIPS = [200, 1_000, 2_000];

/** What is measured against one INSERT: an anonymous session is that, and no more. */
const SIGN_INS: Readonly<Record<string, SessionModuleOptions>> = {
  'sign-in': {},
  'sign-in, limit with reject': { maxSessionsPerUser: 5, onSessionLimit: 'reject' },
  'sign-in, limit with evict-oldest': { maxSessionsPerUser: 5, onSessionLimit: 'evict-oldest' },
};

/** How many people can sign in, beside what inserting one row costs, and how long `revokeEveryone` takes meanwhile. */
export async function signIns({ rounds, seconds, isSmoke }: Settings): Promise<void> {
  const rows: string[][] = [];
  for (const [name, options] of Object.entries(SIGN_INS)) {
    await withOurs({ live: 1, options }, async (ours) => {
      for (const lanes of LANES) {
        const best = { insert: 0, signIn: 0 };
        for (let round = 0; round < rounds; round++) {
          const users = usersOf(round);
          best.insert = Math.max(best.insert, await rate(ours, lanes, seconds, anonymous));
          best.signIn = Math.max(
            best.signIn,
            await rate(ours, lanes, seconds, ({ sessions }) => sessions.create({ userId: users() })),
          );
          await ours.dataSource.query('TRUNCATE sessions');
        }
        const ratio = (best.signIn / best.insert).toFixed(2);
        rows.push([name, String(lanes), figure(best.signIn), figure(best.insert), ratio]);
      }
    });
  }
  const report = [
    await describeMachine(),
    table(['', 'lanes', 'sign-ins/s', 'INSERTs/s', 'ratio'], rows),
    await describeDistances(isSmoke),
    `\`revokeEveryone\` beside 64 lanes of sign-ins took ${Math.round(await revokingBeside(seconds))} ms at most.`,
  ].join('\n\n');
  print(report);
  if (!isSmoke) await writeSection('sign-ins', report);
}

const anonymous = ({ sessions }: OurApplication) => sessions.createAnonymous();

/** Each of them new. */
function usersOf(round: number): () => string {
  let made = 0;
  return () => `user-${round}-${made++}`;
}

/** @returns how many a second */
async function rate(
  ours: OurApplication,
  lanes: number,
  seconds: number,
  act: (ours: OurApplication) => Promise<unknown>,
): Promise<number> {
  let done = 0;
  const begin = performance.now();
  const end = begin + seconds * 1_000;
  const lane = async () => {
    for (; performance.now() < end; done++) await act(ours);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return (done * 1_000) / (performance.now() - begin);
}

/** How long one sign-in takes when the database is far away. */
async function describeDistances(isSmoke: boolean): Promise<string> {
  const rows: string[][] = [];
  for (const [name, options] of Object.entries(SIGN_INS)) {
    const distant = new DistantServer();
    try {
      await withOurs({ live: 1, options, way: (url) => distant.lead(url) }, async ({ sessions }) => {
        for (const roundTrip of isSmoke ? [50] : ROUND_TRIPS) {
          distant.roundTrip = roundTrip;
          const begin = performance.now();
          const outcome = await sessions.create({ userId: `far-${roundTrip}` }).then(
            () => 'signed in',
            ({ status }: { status: number }) => String(status),
          );
          rows.push([name, figure(roundTrip), figure(performance.now() - begin), outcome]);
        }
        distant.roundTrip = 0;
      });
    } finally {
      await distant.close();
    }
  }
  return table(['', 'round trip, ms', 'sign-in, ms', ''], rows);
}

/** @returns milliseconds, of the longest */
async function revokingBeside(seconds: number): Promise<number> {
  return withOurs({ live: 1 }, async (ours) => {
    const users = usersOf(0);
    // Those that began before it are refused.
    const signIn = ({ sessions }: OurApplication) => sessions.create({ userId: users() }).catch(() => {});
    const load = rate(ours, 64, seconds, signIn);
    let longest = 0;
    const end = performance.now() + seconds * 1_000;
    while (performance.now() < end) {
      const begin = performance.now();
      await ours.sessions.revokeEveryone();
      longest = Math.max(longest, performance.now() - begin);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await load;
    return longest;
  });
}
