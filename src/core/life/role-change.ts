import type { SessionEvents } from '../events/session-events.js';
import { type Actor, readActor } from '../model/actor.js';
import { assertIdentifier, assertRoles, serializeRoles } from '../model/principal.js';
import type { Role } from '../model/session.js';
import type { SessionStore } from '../model/store.js';
import type { SessionPolicy } from '../policy/policy.js';
import { countInBatches } from './in-batches.js';

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
    const number = await this.store.mark(userId);
    const change = { roles: text, idle, absolute, now: this.rules.clock() };
    return countInBatches(
      number,
      (batch) => this.store.setRoles(userId, change, batch),
      (count) => this.events.emit({ type: 'roles-changed', roles: [...roles], count, ...actor }, { userId }),
    );
  }
}
