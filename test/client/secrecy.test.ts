import { inspect } from 'node:util';
import { afterEach, expect, it } from '@jest/globals';
import { connect, issued, sessionInfo } from './wire.js';

/** Whatever an app could keep something in for good. */
const STORAGES = [
  'localStorage',
  'sessionStorage',
  'indexedDB',
  'caches',
  'cookieStore',
  'document',
  'navigator',
  'window',
  'name',
  'history',
  'location',
  'AsyncStorage',
  'SecureStore',
  'Capacitor',
  'Preferences',
  'require',
  'process',
  'console',
];
const originals = new Map(STORAGES.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));

afterEach(() => {
  for (const [name, descriptor] of originals) {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    else delete (globalThis as Record<string, unknown>)[name];
  }
});

/** From now on every touch of a storage is noted, and throws. */
function forbidStorages(): string[] {
  const touched: string[] = [];
  for (const name of STORAGES) {
    Object.defineProperty(globalThis, name, {
      configurable: true,
      get: () => {
        touched.push(name);
        throw new Error(`${name} was touched.`);
      },
    });
  }
  return touched;
}

/** Goes through all that a client does. */
async function live({ wire, client, signIn }: ReturnType<typeof connect>): Promise<void> {
  await signIn('TOKEN-1');
  void client.fetch('/me');
  await wire.last.answer(200, {}, { 'Session-Token': 'TOKEN-2' });
  void client.fetch('/me');
  await wire.last.answer(401, { code: 'reauthentication_required' });
  await signIn('TOKEN-3');
  void client.fetch('/me');
  await wire.last.answer(401, { code: 'session_expired' });
  await signIn('TOKEN-4');
  void client.signOut();
  await wire.last.answer(204);
  await signIn('TOKEN-5');
  client.forget();
}

it('nothing is ever written to a storage', async () => {
  const connection = connect();
  const touched = forbidStorages();
  await live(connection);
  expect(touched).toEqual([]);
  expect(connection.events.map(({ type }) => type)).toHaveLength(9);
});

it('the spies notice a client that stores', () => {
  const touched = forbidStorages();
  expect(() => Reflect.get(globalThis, 'localStorage')).toThrow('was touched');
  expect(new Set(touched)).toEqual(new Set(['localStorage']));
});

/** What a getter gives, unless it refuses. */
function read(value: object, key: PropertyKey): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}

/** Every text that can be reached from a value: by keys, symbols, prototypes, getters and functions' own properties. */
function textsIn(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value === 'string') return [value];
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value))
    return [];
  // What belongs to the language is the same for everybody.
  if (value === Object.prototype || value === Function.prototype || value === Array.prototype) return [];
  seen.add(value);
  const own = Reflect.ownKeys(value).flatMap((key) => {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    return [
      String(key),
      ...textsIn(descriptor?.value, seen),
      ...textsIn(descriptor?.get, seen),
      ...textsIn(read(value, key), seen),
    ];
  });
  const source = typeof value === 'function' ? [String(value)] : [];
  return [...source, ...own, ...textsIn(Object.getPrototypeOf(value), seen)];
}

it('the token cannot be reached from the client, its events or its errors', async () => {
  const { wire, client, events, tokenInUse } = connect();
  const session = { ...sessionInfo(), userId: 'to be found' };
  const done = client.signIn('/auth/sign-in', {});
  await wire.last.answer(201, { ...issued('TOKEN-1'), session });
  void client.fetch('/me');
  await wire.last.answer(200, {}, { 'Session-Token': 'TOKEN-2' });
  const refused = client.signIn('/auth/step-up', {}).catch((error: unknown) => error);
  await wire.last.answer(403, { code: 'wrong' });
  expect(tokenInUse()).toBe('TOKEN-2');

  const values = [client, await done, events, await refused];
  const shown = values.flatMap((value) => [
    ...textsIn(value),
    JSON.stringify(value),
    inspect(value, { showHidden: true, depth: null, getters: true }),
  ]);
  expect(shown.join('\n')).toContain('to be found');
  expect(shown.filter((text) => text.includes('TOKEN-'))).toEqual([]);
});

it('the client cannot be changed, so that nobody can put a listening fetch in its place', () => {
  const { client } = connect();
  expect(Object.isFrozen(client)).toBe(true);
});
