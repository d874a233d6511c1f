import { StoreUnavailableError } from './errors.js';
import { withinPatience } from './patience.js';
import type { SessionStore } from './store.js';

/** What may take as long as it needs. */
const UNBOUNDED: ReadonlySet<string> = new Set<keyof SessionStore>(['deleteExpired', 'deleteAll', 'flush']);

/** What succeeds whether the store is there or not. */
const UNTELLING: ReadonlySet<string> = new Set<keyof SessionStore>(['touch', 'flush']);

export interface OutageReporter {
  onOutage(cause: unknown): void;
  onRecovery(): void;
}

/**
 * The store, but whatever goes wrong in it, and an answer that does not come, is a `StoreUnavailableError`; an outage
 * is reported once, not once per request.
 */
export function watchAvailability(store: SessionStore, reporter: OutageReporter): SessionStore {
  const watched = new Map<PropertyKey, unknown>();
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

  async function watch<T>(verb: string, answer: Promise<T>): Promise<T> {
    const call = ++calls;
    try {
      const result = await (UNBOUNDED.has(verb) ? answer : withinPatience(answer));
      if (isDown && !UNTELLING.has(verb)) note(false, call, () => reporter.onRecovery());
      return result;
    } catch (cause) {
      note(true, call, () => reporter.onOutage(cause));
      throw new StoreUnavailableError('The session store is unavailable.', { cause: withoutValues(cause) });
    }
  }

  return new Proxy(store, {
    get(target, verb) {
      const method: unknown = Reflect.get(target, verb);
      if (typeof method !== 'function' || typeof verb !== 'string') return method;
      let wrapper = watched.get(verb);
      if (wrapper === undefined) {
        wrapper = (...args: unknown[]) => watch(verb, method.apply(target, args) as Promise<unknown>);
        watched.set(verb, wrapper);
      }
      return wrapper;
    },
  });
}

/** Drivers put the statement's parameters on their errors, and error trackers send them away. */
function withoutValues(cause: unknown): Error {
  const { name, message, stack } = cause instanceof Error ? cause : new Error(String(cause));
  return Object.assign(new Error(message), { name, stack });
}
