import type { SessionPrincipal } from '../../src/core/model/principal.js';
import type { JsonObject, ReadonlyJsonObject } from '../../src/core/model/session.js';

/** How many rotations by id a token is recognised across; before that it is unknown, and as dead. */
export const RECOGNISED_ROTATIONS = 8;
/** How many tokens that nobody ever showed are told from stolen ones. */
const REMEMBERED_UNSHOWN = 8;
const LEVELS = [3, 2] as const;

export interface ModelTimeouts {
  readonly idle: number;
  readonly absolute: number;
  readonly renewal: number;
  readonly touchEvery: number;
}

export interface ModelRules {
  readonly timeoutsOf: (roles: readonly string[]) => ModelTimeouts;
  readonly grace: number;
  readonly onReuse: 'revoke' | 'report';
  readonly maxSessionsPerUser: number | undefined;
  readonly onSessionLimit: 'evict-oldest' | 'reject';
  /** Of the sessions of a user that is the oldest which was signed in to first; otherwise, which was made first. */
  readonly hasTurns: boolean;
}

/** What the real thing made up, and the model could not know. */
export interface Fresh {
  readonly id: string;
  readonly token: string;
}

export interface ModelEvent {
  readonly type: string;
  readonly sessionId?: string;
  readonly userId?: string | null;
  readonly reason?: string;
  readonly count?: number;
}

interface ModelToken {
  readonly text: string;
  /** How it came to follow the one before. */
  readonly by: 'sign-in' | 'rotation' | 'rotation by id' | 'renewal';
  readonly madeAt: number;
  /** When it was first shown. */
  confirmedAt: number | null;
  /** From when on its holder's earlier token is shown in spite of it. */
  ignoredFrom: number | null;
  /** Replaced before anybody showed it. */
  wasNeverShown: boolean;
}

export interface ModelSession {
  readonly id: string;
  readonly createdAt: number;
  /** Which sign-in it is: at the limit those with smaller ones end first. */
  turn: number;
  userId: string | null;
  roles: readonly string[];
  data: ReadonlyJsonObject;
  authenticatedAt: number;
  /** When levels 2 and 3 were last proven. */
  provenAt: { 2: number; 3: number };
  lastSeenAt: number;
  /** All tokens since its sign-in, the newest last. */
  tokens: ModelToken[];
  /** Since when the newest token is due for renewal, or will be. */
  dueAt: number;
}

/**
 * Sessions as docs/design.md has them ("Words", "Invariants", "The life of a token", "Timeouts and activity"), without a
 * database: what each verb answers, and what it tells. A refusal is its code or reason.
 */
export class SessionModel {
  /** The newest last. What has expired is there until it is purged. */
  sessions: ModelSession[] = [];
  events: ModelEvent[] = [];
  private turns = 0;
  /** Whose sessions were revoked or got other roles, in this order; `null` is everyone. */
  private readonly changes: (string | null)[] = [];

  constructor(
    private readonly rules: ModelRules,
    private readonly clock: () => number,
  ) {}

  /** What a request that arrives now has to remember to know later whether it was overtaken. */
  arrival(): number {
    return this.changes.length;
  }

  create(principal: SessionPrincipal, { id, token }: Fresh, arrivedAt = this.arrival()) {
    const refusal = this.refusal(principal.userId, arrivedAt) ?? this.limitRefusal(principal.userId);
    if (refusal) return refusal;
    const session = this.add(id, token, principal);
    this.evict(session);
    return view(session, this);
  }

  createAnonymous(data: JsonObject, { id, token }: Fresh) {
    return view(this.add(id, token, { userId: null, data }), this);
  }

  authenticate(id: string, principal: SessionPrincipal, fresh: Fresh) {
    const session = this.live(id);
    return session
      ? this.signInOn(session, principal, fresh, this.arrival(), 'rotation by id', null)
      : 'session_invalid';
  }

  /** @param shownAt the time at which it arrived */
  authenticateShown(
    shown: string,
    principal: SessionPrincipal,
    fresh: Fresh,
    arrivedAt: number,
    shownAt: number,
  ) {
    const { session, reason } = this.judge(shown, shownAt);
    return reason === null
      ? this.signInOn(session, principal, fresh, arrivedAt, 'rotation', shown)
      : 'session_invalid';
  }

  private signInOn(
    session: ModelSession,
    principal: SessionPrincipal,
    fresh: Fresh,
    arrivedAt: number,
    by: ModelToken['by'],
    shown: string | null,
  ) {
    if (session.userId !== null && session.userId !== principal.userId) {
      const answer = this.create(principal, fresh, arrivedAt);
      if (typeof answer !== 'string') this.end(session, 'replaced');
      return answer;
    }
    const wasAnonymous = session.userId === null;
    const refusal = this.refusal(principal.userId, arrivedAt);
    if (refusal) return refusal;
    if (wasAnonymous && this.limitRefusal(principal.userId)) return 'session_limit';
    session.userId = principal.userId;
    session.roles = principal.roles ?? session.roles;
    session.data = { ...session.data, ...principal.data };
    session.authenticatedAt = session.lastSeenAt = this.clock();
    this.prove(session, principal.level);
    if (wasAnonymous) {
      if (this.rules.hasTurns) session.turn = ++this.turns;
      session.tokens = []; // a new series: the earlier tokens are unknown from now on
      this.evict(session);
    }
    this.issue(session, fresh.token, wasAnonymous ? 'sign-in' : by, shown);
    this.tell('authenticated', session);
    return view(session, this);
  }

  /** @param lastSeenAt what the real thing says: it may lag behind, but by no more than `touchEvery` */
  validate(shown: string, lastSeenAt: number, { isActivity = true, arrivedAt = this.clock() } = {}) {
    const { session, reason } = this.judge(shown, arrivedAt);
    if (reason !== null) return reason;
    const newest = newestOf(session);
    if (newest.text === shown) newest.confirmedAt ??= this.clock();
    if (isActivity) {
      const earliest = Math.max(session.lastSeenAt, this.clock() - this.timeoutsOf(session).touchEvery);
      session.lastSeenAt = clamp(lastSeenAt, earliest, this.clock());
    }
    return view(session, this);
  }

  /** What the guard hands to whoever has shown this token, which was accepted. */
  renewal(shown: string, successor: string): string | null {
    const session = this.holder(shown) as ModelSession;
    const newest = newestOf(session);
    if (newest.text !== shown) {
      if (newest.confirmedAt !== null) return null;
      this.noteIgnored(session, newest);
      return newest.text;
    }
    const dueAt = Math.min(session.dueAt, newest.madeAt + this.timeoutsOf(session).renewal);
    if (this.clock() < dueAt || (session.tokens.length > 1 && this.isSettling(newest))) return null;
    this.issue(session, successor, 'renewal', shown);
    this.tell('renewed', session);
    return successor;
  }

  rotate(id: string, { token }: Fresh) {
    const session = this.live(id);
    if (!session) return 'session_invalid';
    this.issue(session, token, 'rotation by id', null);
    this.tell('rotated', session);
    return view(session, this);
  }

  get(id: string) {
    const session = this.live(id);
    return session ? view(session, this) : null;
  }

  list(userId: string) {
    return this.liveOf(userId)
      .toReversed()
      .map((session) => view(session, this));
  }

  update(id: string, addition: JsonObject): ReadonlyJsonObject | null {
    const session = this.live(id);
    if (!session) return null;
    const data = { ...session.data, ...addition };
    if (JSON.stringify(data) !== JSON.stringify(session.data)) this.tell('updated', session);
    return (session.data = data);
  }

  setRoles(userId: string, roles: readonly string[]): number {
    const affected = this.liveOf(userId);
    for (const session of affected) {
      if (roles.join() !== session.roles.join()) session.dueAt = this.clock();
      session.roles = roles;
    }
    this.changes.push(userId);
    this.events.push({ type: 'roles-changed', userId, count: affected.length });
    return affected.length;
  }

  revoke(id: string, owner?: string): boolean {
    const session = this.sessions.find((each) => each.id === id);
    if (!session || (owner !== undefined && session.userId !== owner)) return false;
    return this.end(session, 'revoked');
  }

  revokeAll(userId: string, except?: string): number {
    this.changes.push(userId);
    const doomed = this.sessions.filter((session) => session.userId === userId && session.id !== except);
    return doomed.filter((session) => this.end(session, 'revoked')).length;
  }

  /** @param count what the real thing says: expired sessions may count, as long as they are not purged */
  revokeEveryone(count: number): number {
    const live = this.sessions.filter((session) => this.isLive(session)).length;
    const ended = clamp(count, live, this.sessions.length);
    this.changes.push(null);
    this.sessions = [];
    this.events.push({ type: 'revoked', reason: 'revoked', count: ended });
    return ended;
  }

  purgeExpired(): number {
    const before = this.sessions.length;
    this.sessions = this.sessions.filter((session) => this.isLive(session));
    const count = before - this.sessions.length;
    if (count > 0) this.events.push({ type: 'purged', count });
    return count;
  }

  expiresAt(session: ModelSession): number {
    const { idle, absolute } = this.timeoutsOf(session);
    return Math.min(session.lastSeenAt + idle, session.authenticatedAt + absolute);
  }

  /** See "Whose token is this" in docs/design.md. First the hash, then expiry. */
  private judge(shown: string, arrivedAt = this.clock()): Judgement {
    const session = this.holder(shown);
    if (session === undefined) return { session, reason: 'unknown' };
    const newest = newestOf(session);
    if (shown !== newest.text && !this.isOutgoing(shown, session)) {
      const isExcused = this.isSettling(newest, Math.min(arrivedAt, this.clock()));
      if (isExcused || this.cameLate(shown, session)) return { session, reason: 'rotated' };
      this.tell('reuse-detected', session);
      if (this.rules.onReuse === 'revoke') {
        this.sessions = this.sessions.filter((each) => each !== session);
        this.tell('revoked', session, 'reuse');
      }
      return { session, reason: 'reused' };
    }
    if (this.isLive(session)) return { session, reason: null };
    this.tell('expired', session);
    return { session, reason: 'expired' };
  }

  /** The session that the token is, or was, of. */
  private holder(shown: string): ModelSession | undefined {
    return this.sessions.find(({ tokens }) => {
      const index = tokens.findIndex(({ text }) => text === shown);
      const later = tokens.slice(index + 1).filter(({ by }) => by === 'rotation by id');
      return index >= 0 && later.length <= RECOGNISED_ROTATIONS;
    });
  }

  /** The token before a renewal works until `grace` after the new one was first shown. */
  private isOutgoing(shown: string, { tokens }: ModelSession): boolean {
    const [before, newest] = tokens.slice(-2);
    if (before?.text !== shown || newest?.by !== 'renewal') return false;
    return newest.confirmedAt === null || this.clock() < newest.confirmedAt + this.rules.grace;
  }

  /** Nobody showed it while it was good. */
  private cameLate(shown: string, { tokens }: ModelSession): boolean {
    const unshown = tokens.filter(({ wasNeverShown }) => wasNeverShown).slice(-REMEMBERED_UNSHOWN);
    return unshown.some(({ text }) => text === shown);
  }

  /** Told the second time that it is handed again, once `grace` has passed each time. */
  private noteIgnored(session: ModelSession, newest: ModelToken): void {
    if (this.clock() < (newest.ignoredFrom ?? newest.madeAt + this.rules.grace)) return;
    if (newest.ignoredFrom !== null) this.tell('renewal-ignored', session);
    newest.ignoredFrom = newest.ignoredFrom === null ? this.clock() + this.rules.grace : Infinity;
  }

  /** Earlier tokens may still be under way. */
  private isSettling({ madeAt, confirmedAt }: ModelToken, at = this.clock()): boolean {
    return confirmedAt === null || at < Math.max(madeAt, confirmedAt) + this.rules.grace;
  }

  private refusal(userId: string, arrivedAt: number): 'session_invalid' | null {
    const isOvertaken = this.changes.slice(arrivedAt).some((whose) => whose === null || whose === userId);
    return isOvertaken ? 'session_invalid' : null;
  }

  private limitRefusal(userId: string): 'session_limit' | null {
    const { maxSessionsPerUser = Infinity, onSessionLimit } = this.rules;
    const isFull = this.liveOf(userId).length >= maxSessionsPerUser;
    return isFull && onSessionLimit === 'reject' ? 'session_limit' : null;
  }

  /** Ends the oldest sessions beside this one until there are no more than allowed. */
  private evict(signedIn: ModelSession): void {
    const { maxSessionsPerUser = Infinity } = this.rules;
    const live = this.liveOf(signedIn.userId);
    const others = live.filter((session) => session !== signedIn);
    others
      .toSorted((one, other) => one.turn - other.turn)
      .slice(0, Math.max(0, live.length - maxSessionsPerUser))
      .forEach((session) => this.end(session, 'limit'));
  }

  private add(
    id: string,
    token: string,
    principal: Omit<SessionPrincipal, 'userId'> & { userId: string | null },
  ) {
    const now = this.clock();
    const { userId, roles = [], data = {} } = principal;
    const clocks = { createdAt: now, authenticatedAt: now, lastSeenAt: now, dueAt: now };
    const provenAt = { 2: -Infinity, 3: -Infinity };
    const turn = ++this.turns;
    const session: ModelSession = { id, turn, userId, roles, data, ...clocks, provenAt, tokens: [] };
    this.prove(session, principal.level);
    this.sessions.push(session);
    this.issue(session, token, 'sign-in', null);
    this.tell('created', session);
    return session;
  }

  /** An authentication event proves its level and those below, and nothing above. */
  private prove({ provenAt }: ModelSession, proven = 1): void {
    for (const level of LEVELS) if (proven >= level) provenAt[level] = this.clock();
  }

  /** The highest level that was proven within the absolute timeout. */
  levelOf(session: ModelSession): number {
    const { absolute } = this.timeoutsOf(session);
    return LEVELS.find((level) => this.clock() < session.provenAt[level] + absolute) ?? 1;
  }

  /** @param shown the token for which it is issued, if one was shown */
  private issue(session: ModelSession, text: string, by: ModelToken['by'], shown: string | null): void {
    const madeAt = this.clock();
    const replaced = session.tokens.at(-1);
    if (replaced) replaced.wasNeverShown = replaced.confirmedAt === null && replaced.text !== shown;
    session.tokens.push({ text, by, madeAt, confirmedAt: null, ignoredFrom: null, wasNeverShown: false });
    session.dueAt = madeAt + this.timeoutsOf(session).renewal;
  }

  /** @returns whether it was live: what has expired ends without a word */
  private end(session: ModelSession, reason: string): boolean {
    this.sessions = this.sessions.filter((each) => each !== session);
    const wasLive = this.isLive(session);
    if (wasLive) this.tell('revoked', session, reason);
    return wasLive;
  }

  private tell(type: string, { id, userId }: ModelSession, reason?: string): void {
    this.events.push({ type, sessionId: id, userId, ...(reason !== undefined && { reason }) });
  }

  private live(id: string): ModelSession | undefined {
    return this.sessions.find((session) => session.id === id && this.isLive(session));
  }

  private liveOf(userId: string | null): ModelSession[] {
    return this.sessions.filter((session) => session.userId === userId && this.isLive(session));
  }

  private isLive(session: ModelSession): boolean {
    return this.clock() < this.expiresAt(session);
  }

  private timeoutsOf({ roles }: ModelSession): ModelTimeouts {
    return this.rules.timeoutsOf(roles);
  }
}

type Judgement =
  | { session: ModelSession; reason: null }
  | { session: ModelSession | undefined; reason: 'unknown' | 'rotated' | 'reused' | 'expired' };

/** What a handler sees of a session: the same for the model's and for real ones. */
function view(session: ModelSession, model: SessionModel) {
  const { id, userId, roles, data, createdAt, authenticatedAt, lastSeenAt } = session;
  const isAnonymous = userId === null;
  return {
    id,
    userId,
    roles,
    level: isAnonymous ? null : model.levelOf(session),
    data,
    createdAt: new Date(createdAt),
    authenticatedAt: isAnonymous ? null : new Date(authenticatedAt),
    lastSeenAt: new Date(lastSeenAt),
    expiresAt: new Date(model.expiresAt(session)),
  };
}

function newestOf({ tokens }: ModelSession): ModelToken {
  return tokens.at(-1) as ModelToken;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
