import { createSecretKey } from 'node:crypto';
import { SessionEvents } from './events/session-events.js';
import { SessionTurns } from './life/contention.js';
import { DataUpdate } from './life/data-update.js';
import { ArrivalOrder } from './life/order.js';
import { Purge } from './life/purge.js';
import { Revocation } from './life/revocation.js';
import { RoleChange } from './life/role-change.js';
import { TokenRotation } from './life/rotation.js';
import { SessionLookup } from './life/session-lookup.js';
import { SignIn } from './life/sign-in.js';
import { TokenValidation } from './life/validation.js';
import type { SessionStore } from './model/store.js';
import type { ResolvedSessionOptions } from './options/resolve-options.js';
import { type OutageReporter, WatchedStore } from './outage/watched-store.js';
import { SessionPolicy } from './policy/policy.js';
import { RoleHierarchy } from './policy/roles.js';
import { TokenFormat } from './token/token.js';

export interface CoreReporter extends OutageReporter {
  onSubscriberError(error: unknown): void;
}

/** The rules of sessions, put together for one set of options and one store, which nobody else gets to see. */
export class SessionCore {
  readonly tokens: TokenFormat;
  readonly hierarchy: RoleHierarchy;
  readonly policy: SessionPolicy;
  readonly events: SessionEvents;
  readonly order: ArrivalOrder;
  readonly lookup: SessionLookup;
  readonly revocation: Revocation;
  readonly validation: TokenValidation;
  readonly rotation: TokenRotation;
  readonly signIn: SignIn;
  readonly dataUpdate: DataUpdate;
  readonly roleChange: RoleChange;
  readonly purge: Purge;

  constructor(
    readonly options: ResolvedSessionOptions,
    store: SessionStore,
    reporter: CoreReporter,
  ) {
    const { clock, roles, secret, timeouts, touchEvery } = options;
    const keys = secret.keys.map((key) => createSecretKey(key, 'utf8'));
    this.tokens = new TokenFormat(keys, secret.acceptUnkeyed);
    this.hierarchy = new RoleHierarchy(roles.includes, roles.isDeclared);
    this.policy = new SessionPolicy(timeouts, roles.timeouts, this.hierarchy, touchEvery);
    this.events = new SessionEvents(clock, (error) => reporter.onSubscriberError(error));
    this.order = ArrivalOrder.of(clock);

    const { tokens, policy, events, order } = this;
    const watched = new WatchedStore(store, reporter);
    const lookup = new SessionLookup(watched, tokens, policy, options);
    const revocation = new Revocation(watched, lookup, events, order, options);
    const validation = new TokenValidation(watched, tokens, policy, lookup, revocation, events, options);
    const turns = new SessionTurns();
    this.lookup = lookup;
    this.revocation = revocation;
    this.validation = validation;
    this.rotation = new TokenRotation(watched, tokens, policy, lookup, validation, events, turns, options);
    this.signIn = new SignIn(watched, tokens, policy, lookup, validation, revocation, events, turns, options);
    this.dataUpdate = new DataUpdate(watched, lookup, events, turns, options);
    this.roleChange = new RoleChange(watched, policy, events, order, options);
    this.purge = new Purge(watched, events, options);
  }
}
