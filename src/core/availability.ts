import { StoreUnavailableError } from './errors.js';
import { withinPatience } from './patience.js';
import type { SessionStore } from './store.js';

/** What may take as long as it needs. */
const UNBOUNDED: ReadonlySet<string> = new Set<keyof SessionStore>(['deleteExpired', 'deleteAll', 'flush']);

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

  async function watch<T>(verb: string, answer: Promise<T>): Promise<T> {
    try {
      const result = await (UNBOUNDED.has(verb) ? answer : withinPatience(answer));
      if (isDown) reporter.onRecovery();
      isDown = false;
      return result;
    } catch (cause) {
      if (!isDown) reporter.onOutage(cause);
      isDown = true;
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
