import type { ActiveSession, Actor } from 'nestjs-sessions';

/** Who of the staff does it: the audit trail keeps that beside what was done. */
export function actorOf({ id, userId }: ActiveSession): Actor {
  return { userId, sessionId: id };
}
