import { SessionRequiredException } from '../session.exceptions.js';
import { assertWho } from '../http/authorization.js';
import { needsSession, type Requirement } from '../http/requirement.js';

/** What a server leads to: the requirements of all that its clients can call. Asked for late, once all of it is known. */
export type EntryRule = () => readonly Requirement[];

const SIGNED_IN: Requirement = {
  handler: 'socket',
  isDeclared: false,
  opens: null,
  session: 'signed-in',
  roleSets: [],
  level: 0,
  maxAge: null,
  isBackground: true,
  isStream: false,
  answersItself: false,
  life: {},
};

/** Of what leads to nothing that is known here. */
export const ANYBODY_SIGNED_IN: EntryRule = () => [SIGNED_IN];

/** Of what goes on under several rules at once: whoever goes on has a role of each set of each. */
export function allOf(requirements: Iterable<Requirement>): EntryRule {
  return () => {
    const roleSets = Array.from(requirements, (requirement) => requirement.roleSets).flat();
    return [{ ...SIGNED_IN, session: roleSets.length > 0 ? 'signed-in' : 'none', roleSets }];
  };
}

/** Who comes: the user of a session, `null` for a session of nobody. */
export interface Visitor {
  readonly userId: string | null;
  readonly roles: readonly string[];
}

/**
 * Lets in who could use something of what a server leads to; each use is checked by itself. A sign-in that is too weak or
 * too old keeps nobody out: it is made stronger while a socket is open.
 *
 * @param visitor `null`: nobody has shown a token
 * @throws SessionRequiredException, RoleRequiredException
 */
export function assertEntry(rule: EntryRule, visitor: Visitor | null): void {
  let refusal: unknown = new SessionRequiredException();
  for (const requirement of rule()) {
    if (!needsSession(requirement)) return;
    if (visitor === null) continue;
    try {
      return assertWho(requirement, visitor.userId, visitor.roles);
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}
