import { InvalidArgumentError } from './errors.js';
import { assertIdentifier } from './principal.js';

/** Who did something to the sessions of others, for the audit trail. */
export interface Actor {
  /** As in their own session. */
  readonly userId: string;
  /** The public id of the session in which they did it. */
  readonly sessionId?: string;
}

/** Nothing but these two: a whole session or user that was passed must not get into the audit trail. */
export function readActor(argument: string, by: unknown): { readonly by?: Actor } {
  if (by === undefined) return {};
  if (typeof by !== 'object' || by === null) {
    throw new InvalidArgumentError(argument, by, 'pass `{ userId, sessionId? }` of who does it.');
  }
  const { userId, sessionId } = by as Record<keyof Actor, unknown>;
  assertIdentifier(`${argument}.userId`, userId);
  if (sessionId === undefined) return { by: { userId } };
  assertIdentifier(`${argument}.sessionId`, sessionId);
  return { by: { userId, sessionId } };
}
