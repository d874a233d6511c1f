import { beforeEach, describe, expect, it } from '@jest/globals';
import { SimulatedWorld, type SimulatedNode, type Weather } from './simulated-world.js';

const GOOD: Weather = { seed: 1, loss: 0, repetition: 0, longestDelay: 5, longestQuery: 2, drift: 0 };

let weather: { -readonly [part in keyof Weather]: Weather[part] };
let world: SimulatedWorld;
let one: SimulatedNode;
let two: SimulatedNode;

beforeEach(async () => {
  weather = { ...GOOD };
  world = new SimulatedWorld(weather);
  [one, two] = [await world.add(true), await world.add(true)];
  await world.run(4_000);
  two.read();
  await world.run(4_100);
  expect(two.answer()).toBe(0);
});

/** How long the verb of the first node takes. */
async function timeOfVerb(): Promise<number> {
  const [began, before] = [world.now, world.returned];
  one.verb(false);
  while (world.returned === before) {
    if (world.now > began + 10_000) throw new Error('It does not return.');
    await world.run(world.now + 5);
  }
  return world.now - began;
}

it('a verb returns once the others have acknowledged', async () => {
  expect(await timeOfVerb()).toBeLessThan(50);
  expect(two.answer()).toBeNull();
});

it('a node that hears nothing is waited for until its lease has run out', async () => {
  weather.loss = 1;
  // The world throws where it still answers from what was there before.
  expect(await timeOfVerb()).toBeGreaterThanOrEqual(2_200);
});

it('a node that has stopped is waited for until its lease has run out, and answers nothing when it goes on', async () => {
  two.stop(2_460);
  const took = await timeOfVerb();
  expect(took).toBeGreaterThanOrEqual(2_400);
  expect(took).toBeLessThanOrEqual(2_500);
  await world.run(world.now + 5_000);
});

it('an acknowledgement that comes late is good enough', async () => {
  two.stop(700);
  const took = await timeOfVerb();
  expect(took).toBeGreaterThanOrEqual(700);
  expect(took).toBeLessThan(1_000);
});

it('a node that hears itself no more asks the database for everything', async () => {
  weather.loss = 1;
  await world.run(world.now + 1_100);
  expect([one, two].map((node) => node.cluster.mayAnswer)).toEqual([false, false]);
  weather.loss = 0;
  await world.run(world.now + 1_100);
  expect([one, two].map((node) => node.cluster.mayAnswer)).toEqual([true, true]);
});

it('the first verb on another server waits for all leases, whoever acknowledges', async () => {
  world.database.failOver();
  expect(await timeOfVerb()).toBeGreaterThanOrEqual(2_200);
  await world.run(world.now + 1_000);
  expect(await timeOfVerb()).toBeLessThan(50);
});

it('a node that was killed is waited for by nobody once another one has joined', async () => {
  two.crash();
  await world.add(true);
  await world.run(world.now + 4_000);
  expect(await timeOfVerb()).toBeLessThan(50);
});

it('a node that shuts down forgets, and is waited for by nobody', async () => {
  void two.cluster.stop();
  await world.run(world.now + 50);
  expect(two.answer()).toBeNull();
  two.crash();
  expect(await timeOfVerb()).toBeLessThan(50);
});

describe('without a bus', () => {
  beforeEach(async () => {
    world = new SimulatedWorld(weather);
    [one, two] = [await world.add(true, false), await world.add(true, false)];
    await world.run(2_000);
  });

  it('nodes keep what they remember while nothing is taken away', async () => {
    two.read();
    for (let time = world.now + 100; time < 10_000; time += 100) {
      await world.run(time);
      expect(two.answer()).toBe(0);
    }
  });

  it('a verb waits for all leases', async () => {
    two.read();
    await world.run(world.now + 100);
    expect(await timeOfVerb()).toBeGreaterThanOrEqual(550);
    expect(two.answer()).toBeNull();
  });
});
