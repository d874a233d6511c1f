import { parseData } from '../model/data.js';
import type { SessionRecord } from '../model/record.js';
import type { RolePolicy } from '../policy/policy.js';
import {
  ActiveSession,
  AnonymousSession,
  type AuthenticationLevel,
  type PublicSession,
  type ReadonlySessionData,
  type Role,
  type SessionClient,
} from '../model/session.js';

/**
 * The session of a record: without its hashes, and with no data parsed before somebody asks for it.
 * @param policy of the record's roles
 * @param now whose level it shows
 */
export function toSession(
  record: SessionRecord,
  policy: RolePolicy,
  now: number,
): ActiveSession | AnonymousSession {
  return record.userId === null
    ? new RecordedAnonymousSession(record, policy, now)
    : new RecordedActiveSession(record, policy, now);
}

/** The session of a record that has a user. */
export function toActiveSession(record: SessionRecord, policy: RolePolicy, now: number): ActiveSession {
  return new RecordedActiveSession(record, policy, now);
}

type Recorded<Kind> = new (record: SessionRecord, policy: RolePolicy, now: number) => Kind;

/** Both kinds are made alike, but are of classes of their own. */
function recorded<Kind extends PublicSession>(kind: abstract new () => Kind): Recorded<Kind> {
  const Base = kind as abstract new () => object as new () => object;
  class RecordedSession extends Base implements PublicSession {
    /** What `console.log` calls it. */
    static override readonly name = kind.name;

    // Own and enumerable: what spreads, prints and serializers see of a session.
    readonly id: string;
    readonly userId: string | null;
    readonly roles: readonly Role[];
    readonly level: AuthenticationLevel | null;
    readonly createdAt: Date;
    readonly authenticatedAt: Date | null;
    readonly lastSeenAt: Date;
    readonly expiresAt: Date;
    readonly client: SessionClient;
    readonly #dataText: string;
    #data: ReadonlySessionData | undefined;

    constructor(record: SessionRecord, policy: RolePolicy, now: number) {
      super();
      const { ip, userAgent, label } = record;
      const isAnonymous = record.userId === null;
      this.id = record.id;
      this.userId = record.userId;
      this.roles = policy.roles as readonly Role[];
      this.level = isAnonymous ? null : policy.levelOf(record, now);
      this.createdAt = new Date(record.createdAt);
      this.authenticatedAt = isAnonymous ? null : new Date(record.authenticatedAt);
      this.lastSeenAt = new Date(record.lastSeenAt);
      this.expiresAt = new Date(policy.expiresAt(record));
      this.client = Object.freeze({ ip, userAgent, label });
      this.#dataText = record.data;
      Object.freeze(this);
    }

    /** Frozen: code that writes to it, as if that saved it, gets an error at once. */
    get data(): ReadonlySessionData {
      this.#data ??= deepFreeze(parseData(this.#dataText));
      return this.#data;
    }

    toJSON(): PublicSession {
      return { ...this };
    }
  }
  return RecordedSession as Recorded<object> as Recorded<Kind>;
}

const RecordedActiveSession = recorded(ActiveSession);
const RecordedAnonymousSession = recorded(AnonymousSession);

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
