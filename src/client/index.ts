/** For apps: React Native, Capacitor, browsers, Node. No dependency, and nothing but `fetch` is needed. */
export { createSessionClient } from './session-client.js';
export type { SessionClient, SessionClientOptions } from './contract.js';
export { SessionClientError } from './errors.js';
export type {
  EndReason,
  SessionClientEvent,
  SessionClientListener,
  SessionInfo,
  StepUpChallenge,
} from './events.js';
export type { SocketCredentials } from './sockets.js';
export type { AnyFetch, Fetch } from './platform.js';
