import { createSecretKey } from 'node:crypto';
import { AnnouncingStore } from './announcing/announcing-store.js';
import { WatchedAnnouncer } from './announcing/watched-announcer.js';
import { SharedClock } from './clock/shared-clock.js';
import { SessionEvents } from './events/session-events.js';
import { Continuation } from './life/continuation.js';
import { SessionQueue } from './life/session-queue.js';
import { DataUpdate } from './life/data-update.js';
import { LiveEstimate } from './life/live-estimate.js';
import { NearValidation } from './life/near-validation.js';
import { Purge } from './life/purge.js';
import { Revocation } from './life/revocation.js';
import { RoleChange } from './life/role-change.js';
import { TokenRotation } from './life/rotation.js';
import { SessionLookup } from './life/session-lookup.js';
import { SignIn } from './life/sign-in.js';
import { TokenValidation } from './life/validation.js';
import { type Announcer, NOBODY_TO_TELL } from './model/announcement.js';
import type { NearMemory } from './model/near-memory.js';
import type { SessionStore } from './model/store.js';
import type { ResolvedSessionOptions } from './options/resolve-options.js';
import { type OutageReporter, type UncertainChange, WatchedStore } from './outage/watched-store.js';
import { SessionPolicy } from './policy/policy.js';
import { RoleHierarchy } from './policy/roles.js';
import { TokenFormat } from './token/token.js';

export interface CoreReporter extends OutageReporter {
  onSubscriberError(error: unknown): void;
  /** Sessions have roles that the option `roles` does not name; not told again for every one of them. */
  onUnknownRoles(roles: readonly string[]): void;
}

/** What a node has of the others; `memory` where it answers from its own. */
export interface Neighbours {
  readonly announcer: Announcer;
  readonly memory: NearMemory | null;
}

/** The rules of sessions, put together for one set of options and one store, which nobody else gets to see. */
export class SessionCore {
  /** As they are given, but for the clock, which is the one of all nodes. */
  readonly options: ResolvedSessionOptions;
  readonly clock: SharedClock;
  readonly tokens: TokenFormat;
  readonly hierarchy: RoleHierarchy;
  readonly policy: SessionPolicy;
  readonly events: SessionEvents;
  readonly lookup: SessionLookup;
  readonly revocation: Revocation;
  readonly validation: TokenValidation;
  readonly continuation: Continuation;
  readonly rotation: TokenRotation;
  readonly signIn: SignIn;
  readonly dataUpdate: DataUpdate;
  readonly roleChange: RoleChange;
  readonly purge: Purge;
  readonly liveEstimate: LiveEstimate;

  constructor(
    given: ResolvedSessionOptions,
    store: SessionStore,
    reporter: CoreReporter,
    neighbours: Neighbours | null = null,
  ) {
    const tellUnknown = ({ attempt, ...about }: UncertainChange) =>
      this.events.emit({ type: 'outcome-unknown', attempt }, about);
    const watched = new WatchedStore(store, reporter, tellUnknown);
    const announcer =
      neighbours === null ? NOBODY_TO_TELL : new WatchedAnnouncer(neighbours.announcer, tellUnknown);
    const told = neighbours === null ? watched : new AnnouncingStore(watched, announcer);
    this.clock = new SharedClock(given.clock, watched);
    const options = { ...given, clock: this.clock.read };
    this.options = options;
    const { clock, roles, secret, timeouts, touchEvery } = options;
    const keys = secret.keys.map((key) => createSecretKey(key, 'utf8'));
    this.tokens = new TokenFormat(keys, secret.acceptUnkeyed);
    this.hierarchy = new RoleHierarchy(roles.includes, roles.isDeclared);
    this.policy = new SessionPolicy(timeouts, roles.timeouts, this.hierarchy, touchEvery, (unknown) =>
      reporter.onUnknownRoles(unknown),
    );
    this.events = new SessionEvents(clock, (error) => reporter.onSubscriberError(error));

    const { tokens, policy, events } = this;
    const lookup = new SessionLookup(told, tokens, policy, options);
    const revocation = new Revocation(told, lookup, events, announcer, options);
    const parts = [told, tokens, policy, lookup, revocation, events, options] as const;
    const memory = neighbours?.memory ?? null;
    const validation = memory === null ? new TokenValidation(...parts) : new NearValidation(memory, ...parts);
    const queue = new SessionQueue();
    this.lookup = lookup;
    this.revocation = revocation;
    this.validation = validation;
    this.continuation = new Continuation(told, policy, validation, options);
    this.rotation = new TokenRotation(told, tokens, policy, lookup, validation, events, queue, options);
    this.signIn = new SignIn(told, tokens, policy, lookup, validation, revocation, events, queue, options);
    this.dataUpdate = new DataUpdate(told, lookup, events, queue, announcer, options);
    this.roleChange = new RoleChange(told, policy, events, options);
    this.purge = new Purge(told, events, options);
    this.liveEstimate = new LiveEstimate(told, options.clock);
  }
}
