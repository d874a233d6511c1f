import type { SessionStore } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';

export interface Fault {
  /** The cases that must find it; others may too. */
  readonly caughtBy: readonly string[];
  /** The verbs that are broken, given a store that is not. */
  readonly fault: (sound: SessionStore) => Partial<SessionStore>;
}

/** What is wrong with a store: one fault each. */
export type Faults = Readonly<Record<string, Fault>>;

/** A store that keeps the contract, but for one fault. */
export function brokenStore(fault: Fault['fault']): SessionStore {
  const sound = new InMemorySessionStore();
  return Object.assign(Object.create(sound) as SessionStore, fault(sound));
}
