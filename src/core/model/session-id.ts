import { assertIdentifier } from './principal.js';

const SESSION_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a session can have this id: no query is worth it otherwise. @throws InvalidArgumentError for what is no id at all */
export function isSessionId(id: unknown, argument = 'id'): id is string {
  assertIdentifier(argument, id);
  return SESSION_ID.test(id);
}
