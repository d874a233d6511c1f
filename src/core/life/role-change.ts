import type { SessionEvents } from '../events/session-events.js';
import { type Actor, readActor } from '../model/actor.js';
import { assertIdentifier, assertRoles, serializeRoles } from '../model/principal.js';
import type { Role } from '../model/session.js';
import type { SessionStore } from '../model/store.js';
import type { SessionPolicy } from '../policy/policy.js';

/** Changes the roles of a user in all of the user's live sessions. It ends none of them: see `Revocation` for that. */
export class RoleChange {
  constructor(
    private readonly store: SessionStore,
    private readonly policy: SessionPolicy,
    private readonly events: SessionEvents,
    private readonly rules: { readonly clock: () => number },
  ) {}

  /** How many sessions there are. @throws InvalidArgumentError */
  async setRoles(userId: string, roles: readonly Role[], by?: Actor): Promise<number> {
    assertIdentifier('userId', userId);
    assertRoles(roles);
    const actor = readActor('by', by);
    const text = serializeRoles(roles);
    const { idle, absolute } = this.policy.of(text).timeouts;
    const now = this.rules.clock();
    const count = await this.store.setRoles(userId, { roles: text, idle, absolute, now });
    this.events.emit({ type: 'roles-changed', roles: [...roles], count, ...actor }, { userId });
    return count;
  }
}
