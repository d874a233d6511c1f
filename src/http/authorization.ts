import type { AcceptedToken } from '../core/life/accepted-token.js';
import { provenAt } from '../core/policy/levels.js';
import {
  ReauthenticationRequiredException,
  RoleRequiredException,
  SessionRequiredException,
} from '../session.exceptions.js';
import { needsSession, type Requirement } from './requirement.js';

/**
 * Whether a session meets a requirement: somebody signed in, with a role of each set, by a sign-in that is strong and
 * recent enough.
 *
 * @param accepted the token of a live session, or `null` when there is none
 * @throws SessionRequiredException, RoleRequiredException, ReauthenticationRequiredException
 */
export function assertAuthorized(requirement: Requirement, accepted: AcceptedToken | null): void {
  if (!needsSession(requirement)) return;
  if (accepted === null) throw new SessionRequiredException();
  const { record, policy, now } = accepted;
  assertWho(requirement, record.userId, policy.roles);
  if (requirement.session === 'anonymous') return;
  const { level, maxAge } = requirement;
  const isWeak = policy.levelOf(record, now) < level;
  const isOld = maxAge !== null && now - (provenAt(record, level) ?? -Infinity) > maxAge;
  if (!isWeak && !isOld) return;
  throw new ReauthenticationRequiredException({
    ...(maxAge !== null && { maxAge: Math.floor(maxAge / 1_000) }),
    // Also where the session has it: a fresh proof of a lower one would not do, and the client would be sent here again.
    ...(level > 1 && { level }),
  });
}

/**
 * Whether somebody meets what a requirement asks of him, however he has signed in.
 *
 * @param userId `null` for a session of nobody
 * @throws SessionRequiredException, RoleRequiredException
 */
export function assertWho(
  { session, roleSets }: Requirement,
  userId: string | null,
  roles: readonly string[],
): void {
  if (session !== 'signed-in') return;
  if (userId === null) throw new SessionRequiredException();
  for (const anyOf of roleSets) {
    if (!roles.some((role) => anyOf.has(role))) throw new RoleRequiredException();
  }
}
