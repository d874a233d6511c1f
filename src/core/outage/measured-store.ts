import { measure, MEASUREMENTS } from '../model/measurements.js';
import type { SessionStore } from '../model/store.js';

type Call = (...given: unknown[]) => Promise<unknown>;

/** The same store, each call of which is timed while somebody listens. */
export function measuredStore(store: SessionStore): SessionStore {
  const calls = methodsOf(store).map((operation) => {
    const call = Reflect.get(store, operation) as Call;
    return [operation, timed(operation, call.bind(store))];
  });
  return Object.fromEntries(calls) as SessionStore;
}

function methodsOf(store: SessionStore): string[] {
  const names = new Set<string>();
  for (let type: object = store; type !== Object.prototype; type = Object.getPrototypeOf(type) as object) {
    for (const name of Object.getOwnPropertyNames(type)) {
      if (name !== 'constructor' && typeof Reflect.get(store, name) === 'function') names.add(name);
    }
  }
  return [...names];
}

function timed(operation: string, call: Call): Call {
  return (...given) =>
    MEASUREMENTS.storeCall.hasSubscribers ? time(operation, call, given) : call(...given);
}

async function time(operation: string, call: Call, given: readonly unknown[]): Promise<unknown> {
  const start = performance.now();
  let isFailed = true;
  try {
    const answer = await call(...given);
    isFailed = false;
    return answer;
  } finally {
    measure('storeCall', { operation, seconds: (performance.now() - start) / 1_000, isFailed });
  }
}
