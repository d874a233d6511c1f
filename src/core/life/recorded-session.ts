import { parseData } from '../model/data.js';
import type { RolePolicy } from '../policy/policy.js';
import type { AuthenticationLevel } from '../model/session.js';
import type { SessionRecord } from '../model/record.js';
import {
  ActiveSession,
  AnonymousSession,
  type PublicSession,
  type Role,
  type SessionClient,
  type SessionData,
} from '../model/session.js';

/**
 * The session of a record: without its hashes, and with nothing parsed or copied before somebody asks for it.
 * @param policy of the record's roles
 */
export function toSession(record: SessionRecord, policy: RolePolicy): ActiveSession | AnonymousSession {
  return record.userId === null
    ? new RecordedAnonymousSession(record, policy)
    : toActiveSession(record, policy);
}

/** The session of a record that has a user. */
export function toActiveSession(record: SessionRecord, policy: RolePolicy): ActiveSession {
  return new RecordedActiveSession(record, policy);
}

/** What both kinds of session have in common. */
class Details {
  private parsedData: SessionData | undefined;

  constructor(
    private readonly record: SessionRecord,
    private readonly policy: RolePolicy,
  ) {}

  get createdAt(): Date {
    return new Date(this.record.createdAt);
  }

  get lastSeenAt(): Date {
    return new Date(this.record.lastSeenAt);
  }

  get expiresAt(): Date {
    return new Date(this.policy.expiresAt(this.record));
  }

  get client(): SessionClient {
    const { ip, userAgent, label } = this.record;
    return { ip, userAgent, label };
  }

  /** Frozen: whoever expects that writing to it saves it hears so at once. */
  get data(): SessionData {
    this.parsedData ??= deepFreeze(parseData(this.record.data));
    return this.parsedData;
  }
}

class RecordedActiveSession extends ActiveSession {
  readonly id: string;
  readonly userId: string;
  readonly roles: readonly Role[];
  readonly level: AuthenticationLevel;
  readonly #authenticatedAt: number;
  readonly #details: Details;

  constructor(record: SessionRecord, policy: RolePolicy) {
    super();
    this.id = record.id;
    this.userId = record.userId as string;
    this.roles = policy.roles as readonly Role[];
    this.level = record.level;
    this.#authenticatedAt = record.authenticatedAt;
    this.#details = new Details(record, policy);
  }

  get createdAt(): Date {
    return this.#details.createdAt;
  }

  get authenticatedAt(): Date {
    return new Date(this.#authenticatedAt);
  }

  get lastSeenAt(): Date {
    return this.#details.lastSeenAt;
  }

  get expiresAt(): Date {
    return this.#details.expiresAt;
  }

  get client(): SessionClient {
    return this.#details.client;
  }

  get data(): SessionData {
    return this.#details.data;
  }

  toJSON(): PublicSession {
    return publicPart(this);
  }
}

class RecordedAnonymousSession extends AnonymousSession {
  readonly id: string;
  readonly userId = null;
  readonly roles: readonly [] = [];
  readonly level = null;
  readonly authenticatedAt = null;
  readonly #details: Details;

  constructor(record: SessionRecord, policy: RolePolicy) {
    super();
    this.id = record.id;
    this.#details = new Details(record, policy);
  }

  get createdAt(): Date {
    return this.#details.createdAt;
  }

  get lastSeenAt(): Date {
    return this.#details.lastSeenAt;
  }

  get expiresAt(): Date {
    return this.#details.expiresAt;
  }

  get client(): SessionClient {
    return this.#details.client;
  }

  get data(): SessionData {
    return this.#details.data;
  }

  toJSON(): PublicSession {
    return publicPart(this);
  }
}

function publicPart(session: ActiveSession | AnonymousSession): PublicSession {
  const { id, userId, roles, level, createdAt, authenticatedAt, lastSeenAt, expiresAt, client } = session;
  return { id, userId, roles, level, createdAt, authenticatedAt, lastSeenAt, expiresAt, client };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
