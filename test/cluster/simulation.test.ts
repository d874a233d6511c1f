import { expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { explore } from '../support/exploration.js';
import { SimulatedWorld, type Weather } from './simulated-world.js';

jest.setTimeout(600_000);

const LAST = 12_000;

type Deed =
  | {
      readonly at: number;
      readonly node: number;
      readonly kind: 'read' | 'verb' | 'repeat' | 'crash' | 'start';
    }
  | { readonly at: number; readonly node: number; readonly kind: 'stop'; readonly milliseconds: number }
  | { readonly at: number; readonly node: number; readonly kind: 'fail-over' };

const chance = (most: number) => fc.double({ min: 0, max: most, noNaN: true });
const weather: fc.Arbitrary<Weather> = fc.record({
  seed: fc.integer(),
  loss: fc.oneof(fc.constant(0), chance(0.6)),
  repetition: chance(0.5),
  longestDelay: fc.constantFrom(5, 100, 1_500),
  longestQuery: fc.constantFrom(2, 50, 700),
  drift: chance(0.04),
});
const at = fc.integer({ min: 0, max: LAST });
const node = fc.nat({ max: 5 });
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ at, node, kind: fc.constant('read' as const) }) },
  { weight: 5, arbitrary: fc.record({ at, node, kind: fc.constantFrom('verb', 'repeat') }) },
  { weight: 1, arbitrary: fc.record({ at, node, kind: fc.constantFrom('crash', 'start', 'fail-over') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      at,
      node,
      kind: fc.constant('stop' as const),
      milliseconds: fc.constantFrom(20, 300, 1_200, 4_000),
    }),
  },
);

async function live(given: Weather, deeds: readonly Deed[]): Promise<SimulatedWorld> {
  const world = new SimulatedWorld(given);
  for (const keeps of [true, true, false]) await world.add(keeps);
  for (const { at: time, node: number, ...what } of deeds) {
    world.schedule(time, null, () => {
      const one = world.nodes[number % world.nodes.length]!;
      switch (what.kind) {
        case 'read':
          return one.read();
        case 'verb':
          return one.verb(false);
        case 'repeat':
          return one.verb(true);
        case 'stop':
          return one.stop((what as { milliseconds: number }).milliseconds);
        case 'crash':
          return one.crash();
        case 'start':
          return void world.add(true);
        case 'fail-over':
          return world.database.failOver();
      }
    });
  }
  await world.run(LAST + 8_000);
  return world;
}

it('never answers from a state before a verb that has returned, whatever the bus, the clocks and the database do', async () => {
  const deeds = fc.array(deed, { minLength: 30, maxLength: 120 });
  await explore(
    fc.asyncProperty(weather, deeds, async (given, done) => {
      await live(given, done);
    }),
  );
});

it('answers from memory in good weather, and verbs return', async () => {
  const good = { seed: 1, loss: 0, repetition: 0, longestDelay: 5, longestQuery: 2, drift: 0.01 };
  const deeds = Array.from({ length: 200 }, (_, number): Deed => {
    return { at: 2_500 + 20 * number, node: number % 2, kind: number % 10 === 9 ? 'verb' : 'read' };
  });
  const world = await live(good, deeds);
  expect(world.answers).toBeGreaterThan(1_000);
  expect(world.returned).toBe(20);
});
