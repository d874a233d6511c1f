import { setTimeout as wait } from 'node:timers/promises';
import type { SessionBus } from '../../core/model/session-bus.js';
import { expectThat } from './expectation.js';
import type { StoreContractCase } from './session-store-contract.js';

/** Two ends of a bus, as two processes have them, and how to get rid of them. */
export interface BusUnderTest {
  /** One end. */
  readonly bus: SessionBus;
  /** Another instance on the same channels. */
  readonly second: SessionBus;
  /** Called after the case, whether it passed or not; both are closed by then. */
  dispose?(): Promise<unknown>;
}

type Check = (ends: BusUnderTest) => Promise<void>;

/** In milliseconds. A bus may lose messages, but one that loses these is of no use. */
const PATIENCE = 10_000;
const QUIET = 500;

const CHECKS: Readonly<Record<string, Check>> = {
  'what is published is heard by all, by whoever has published it too': async ({ bus, second }) => {
    const [here, there] = [await hearing(bus, 'everybody'), await hearing(second, 'everybody')];
    await bus.publish('everybody', 'one');
    await second.publish('everybody', 'two');
    expectThat('the end that publishes hears it', (await here.until(2)).toSorted(), ['one', 'two']);
    expectThat('the other end hears it', (await there.until(2)).toSorted(), ['one', 'two']);
  },

  'channels are apart': async ({ bus, second }) => {
    const [one, two] = [await hearing(second, 'channel_1'), await hearing(second, 'channel_2')];
    await bus.publish('channel_2', 'for two');
    await bus.publish('channel_1', 'for one');
    await bus.publish('channel_3', 'for nobody');
    expectThat('a channel hears what is published on it', await one.until(1), ['for one']);
    expectThat('and so does another', await two.until(1), ['for two']);
    await wait(QUIET);
    expectThat('neither hears what is for another', [one.heard.length, two.heard.length], [1, 1]);
  },

  'a message arrives as it is, also the longest': async ({ bus, second }) => {
    const heard = await hearing(second, 'everybody');
    const strange = JSON.stringify({ userId: 'ü\'"\\ 📱\n\u0000' });
    const longest = 'x'.repeat(Math.min(bus.maxMessageBytes, 100_000));
    await bus.publish('everybody', strange);
    await bus.publish('everybody', longest);
    const arrived = new Set(await heard.until(2));
    expectThat('nothing is changed in it', [arrived.has(strange), arrived.has(longest)], [true, true]);
  },

  'many at once arrive': async ({ bus, second }) => {
    const heard = await hearing(second, 'everybody');
    const sent = Array.from({ length: 100 }, (_, number) => `message ${number}`);
    await Promise.all(sent.map((message) => bus.publish('everybody', message)));
    expectThat('all of them are heard', [...new Set(await heard.until(100))].toSorted(), sent.toSorted());
  },

  'an end that is closed hears nothing, and the other goes on': async ({ bus, second }) => {
    const [closed, open] = [await hearing(second, 'everybody'), await hearing(bus, 'everybody')];
    await second.close();
    await bus.publish('everybody', 'after');
    expectThat('the open end hears it', await open.until(1), ['after']);
    await wait(QUIET);
    expectThat('the closed one does not', closed.heard, []);
  },
};

/**
 * The contract of `SessionBus` as test cases, for those who write one:
 *
 * ```ts
 * for (const { name, run } of sessionBusContract(create)) it(name, run);
 * ```
 *
 * @param create called for each case: two ends of one bus, on which nobody else is
 */
export function sessionBusContract(create: () => Promise<BusUnderTest>): StoreContractCase[] {
  return Object.entries(CHECKS).map(([name, check]) => ({
    name,
    async run() {
      const ends = await create();
      try {
        await check(ends);
      } finally {
        await Promise.allSettled([ends.bus.close(), ends.second.close()]);
        await ends.dispose?.();
      }
    },
  }));
}

/** What is heard on a channel, in the order of its arrival but for repetitions. */
async function hearing(bus: SessionBus, channel: string) {
  const heard: string[] = [];
  await bus.subscribe(channel, (message) => {
    if (!heard.includes(message)) heard.push(message);
  });
  return {
    heard,
    async until(count: number): Promise<string[]> {
      const deadline = Date.now() + PATIENCE;
      while (heard.length < count && Date.now() < deadline) await wait(10);
      return heard;
    },
  };
}
