import { StoreUnavailableError } from '../model/errors.js';
import { withinPatience } from './patience.js';
import type { SessionStore } from '../model/store.js';

/** What may take as long as it needs. */
const UNBOUNDED: ReadonlySet<string> = new Set<keyof SessionStore>(['deleteExpired', 'deleteAll', 'flush']);

/** What succeeds whether the store is there or not. */
const UNTELLING: ReadonlySet<string> = new Set<keyof SessionStore>(['touch', 'flush']);

type Verb = (...args: unknown[]) => Promise<unknown>;

export interface OutageReporter {
  onOutage(cause: unknown): void;
  onRecovery(): void;
}

/**
 * The store, but whatever goes wrong in it, and an answer that does not come, is a `StoreUnavailableError`; an outage
 * is reported once, not once per request.
 */
export function watchAvailability(store: SessionStore, reporter: OutageReporter): SessionStore {
  let isDown = false;
  let calls = 0;
  let callsAtChange = 0;

  /** What was asked before the last change is no news of now. */
  function note(nowDown: boolean, call: number, report: () => void): void {
    if (isDown === nowDown || call <= callsAtChange) return;
    isDown = nowDown;
    callsAtChange = calls;
    report();
  }

  async function watch<T>(ask: () => Promise<T>, isTelling: boolean): Promise<T> {
    const call = ++calls;
    try {
      const result = await ask();
      if (isDown && isTelling) note(false, call, () => reporter.onRecovery());
      return result;
    } catch (cause) {
      note(true, call, () => reporter.onOutage(cause));
      throw new StoreUnavailableError('The session store is unavailable.', { cause: withoutValues(cause) });
    }
  }

  const watched: Record<string, Verb> = {};
  for (const name of methodsOf(store)) {
    const verb: Verb = (...args) => (store as unknown as Record<string, Verb>)[name]!(...args);
    const isTelling = !UNTELLING.has(name);
    watched[name] = UNBOUNDED.has(name)
      ? (...args) => watch(() => verb(...args), isTelling)
      : (...args) => watch(() => withinPatience(verb(...args)), isTelling);
  }
  return watched as unknown as SessionStore;
}

/** Its own and inherited ones, but for those that every object has. */
function methodsOf(store: object): string[] {
  const parent = Object.getPrototypeOf(store) as object | null;
  if (parent === null) return [];
  const own = Object.entries(Object.getOwnPropertyDescriptors(store));
  const methods = own.filter(([, { value }]) => typeof value === 'function').map(([name]) => name);
  return [...methods, ...methodsOf(parent)];
}

/** Drivers put the statement's parameters on their errors, and error trackers send them away. */
function withoutValues(cause: unknown): Error {
  const { name, message, stack } = cause instanceof Error ? cause : new Error(String(cause));
  return Object.assign(new Error(message), { name, stack });
}
