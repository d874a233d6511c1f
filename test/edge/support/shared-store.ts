import { InMemorySessionStore } from 'nestjs-sessions/testing';

/** A store for several applications, which see each other's sessions as the nodes of one do. */
export function sharedStore(): typeof InMemorySessionStore {
  const shared = new InMemorySessionStore();
  return class extends InMemorySessionStore {
    constructor() {
      super();
      return shared;
    }
  };
}
