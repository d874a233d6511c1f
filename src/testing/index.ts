export { type BusUnderTest, sessionBusContract } from './contract/session-bus-contract.js';
export {
  sessionStoreContract,
  type StoreContractCase,
  type StoreUnderTest,
} from './contract/session-store-contract.js';
export { endOf, type SocketUnderTest } from './end-of.js';
export { InMemorySessionStore } from './in-memory-session.store.js';
export {
  recordSessionEvents,
  type SessionEventOf,
  type SessionEventRecorder,
  type SessionEventType,
} from './session-event-recorder.js';
export { type SignedIn, signInAs } from './sign-in-as.js';
export { TestClock } from './test-clock.js';
