import { createSecretKey } from 'node:crypto';
import { type OutageReporter, watchAvailability } from './outage/availability.js';
import { DataUpdate } from './life/data-update.js';
import { SessionEvents } from './events/session-events.js';
import type { ResolvedSessionOptions } from './options/resolve-options.js';
import { ArrivalOrder } from './life/order.js';
import { SessionPolicy } from './policy/policy.js';
import { RoleHierarchy } from './policy/roles.js';
import { TokenRotation } from './life/rotation.js';
import { SignIn } from './life/sign-in.js';
import type { SessionStore } from './model/store.js';
import { TokenFormat } from './token/token.js';
import { TokenValidation } from './life/validation.js';

export interface CoreReporter extends OutageReporter {
  onSubscriberError(error: unknown): void;
}

/** The rules of sessions, put together for one set of options and one store. */
export class SessionCore {
  readonly store: SessionStore;
  readonly tokens: TokenFormat;
  readonly hierarchy: RoleHierarchy;
  readonly policy: SessionPolicy;
  readonly events: SessionEvents;
  readonly order: ArrivalOrder;
  readonly validation: TokenValidation;
  readonly rotation: TokenRotation;
  readonly signIn: SignIn;
  readonly dataUpdate: DataUpdate;

  constructor(
    readonly options: ResolvedSessionOptions,
    store: SessionStore,
    reporter: CoreReporter,
  ) {
    const { clock, roles, secret, timeouts, touchEvery } = options;
    const keys = secret.keys.map((key) => createSecretKey(key, 'utf8'));
    this.store = watchAvailability(store, reporter);
    this.tokens = new TokenFormat(keys, secret.acceptUnkeyed);
    this.hierarchy = new RoleHierarchy(roles.includes, roles.isDeclared);
    this.policy = new SessionPolicy(timeouts, roles.timeouts, this.hierarchy, touchEvery);
    this.events = new SessionEvents(clock, (error) => reporter.onSubscriberError(error));
    this.order = ArrivalOrder.of(clock);
    const parts = [this.store, this.tokens, this.policy] as const;
    this.validation = new TokenValidation(...parts, this.events, options);
    this.rotation = new TokenRotation(...parts, this.validation, this.events, options);
    this.dataUpdate = new DataUpdate(this.store, this.policy, this.events, options);
    this.signIn = new SignIn(...parts, this.validation, this.events, options);
  }
}
