import type { ReadonlyJsonObject } from '../../src/core/model/session.js';
import { RECOGNISED_ROTATIONS } from './model.js';

/** What was seen of a session. */
export interface SessionView {
  readonly id: string;
  readonly userId: string | null;
  readonly roles: readonly string[];
  readonly level: number | null;
  readonly data: ReadonlyJsonObject;
  readonly createdAt: number;
  readonly authenticatedAt: number | null;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
}

/** One call of a verb: when it was made and when it returned, in the order of all calls; and what came of it. */
export interface Call {
  readonly verb: string;
  readonly began: number;
  /** Of a sign-in: when it had read the number of the latest change. */
  begun?: number;
  ended: number;
  /** The session that it is about. */
  readonly id?: string;
  readonly userId?: string;
  readonly except?: string | undefined;
  /** Roles that it gives. */
  readonly roles?: readonly string[] | undefined;
  /** The token that was shown. */
  readonly token?: string;
  /** The name under which it adds to the session's data. */
  readonly key?: string;
  /** What was seen of live sessions. */
  seen: readonly SessionView[];
  /** A token that was handed out, and its session. */
  issued?: { readonly session: SessionView; readonly token: string };
  /** The successor that a renewal handed out. */
  renewed?: string | null;
  /** Any other answer, or the code or reason of a refusal. */
  answer?: unknown;
}

/** What happened to a few sessions under parallel calls, and what must be true of it in whatever order it did. */
export class History {
  readonly calls: Call[] = [];
  /** Sessions of which an event says that newer ones used up the limit. */
  readonly evicted = new Set<string>();
  private moment = 0;

  /** @param evicts whether the oldest sessions give way to newer ones */
  constructor(private readonly evicts = false) {}

  async note(
    about: Omit<Call, 'began' | 'ended' | 'seen'>,
    act: (call: Call) => Promise<void>,
  ): Promise<Call> {
    const call: Call = { ...about, began: this.moment++, ended: Infinity, seen: [] };
    this.calls.push(call);
    await act(call);
    call.ended = this.moment++;
    return call;
  }

  /** The sign-in knows now what the latest change was. */
  begin(call: Call): void {
    call.begun = this.moment++;
  }

  /** Every token of a session, with the call that handed it out. */
  tokens(id: string): { token: string; from: Call }[] {
    return this.calls.flatMap((from) => {
      const token = from.id === id && from.renewed ? from.renewed : null;
      if (token !== null) return [{ token, from }];
      return from.issued?.session.id === id ? [{ token: from.issued.token, from }] : [];
    });
  }

  /** What is wrong with it, each with the call that shows it. */
  violations(timeoutsOf: (roles: readonly string[]) => { idle: number; absolute: number }): string[] {
    const found: string[] = [];
    const check = (call: Call, rule: string, ...offenders: readonly (Call | undefined)[]) => {
      const shown = offenders.map((offender) => (offender ? `\n    ${print(offender)}` : ''));
      if (offenders.length > 0) found.push(`${rule}:\n    ${print(call)}${shown.join('')}`);
    };
    for (const call of this.calls) {
      for (const session of call.seen.filter((each) => !this.wasTakenBack(each, call))) {
        check(
          call,
          'what was revoked is seen',
          ...this.endings(session).filter((end) => isBefore(end, call)),
        );
        check(call, 'a token older than a rotation is accepted', ...this.rotationsPast(call, session));
        check(call, 'the roles are not those set last', ...only(!this.hasRightRoles(call, session)));
        check(
          call,
          'an update is lost',
          ...this.additionsTo(session).filter(
            (added) => isBefore(added, call) && !(String(added.key) in session.data),
          ),
        );
        check(call, 'data comes from nowhere', ...only(!this.isDataExplained(call, session)));
        const { idle, absolute } = timeoutsOf(session.roles);
        const end = Math.min(
          session.lastSeenAt + idle,
          (session.authenticatedAt ?? session.createdAt) + absolute,
        );
        check(call, 'the deadline does not follow from its inputs', ...only(session.expiresAt !== end));
      }
      check(
        call,
        'a planted token is recognised',
        ...only(this.isPlanted(call) && call.answer === 'rotated'),
      );
      check(call, 'a refusal without a reason', ...only(!this.isRefusalExplained(call)));
    }
    const revoked = this.calls.filter(({ verb, answer }) => verb === 'revoke' && answer === true);
    for (const call of twice(revoked, ({ id }) => id)) check(call, 'revoked twice', undefined);
    const shown = this.calls.filter(({ verb, issued }) => verb === 'authenticateShown' && issued);
    for (const call of twice(shown, ({ token }) => token))
      check(call, 'two sign-ins with one token', undefined);
    const renewals = [
      ...new Map(
        this.calls.filter(({ renewed }) => renewed).map((call) => [`${call.token} ${call.renewed}`, call]),
      ).values(),
    ];
    for (const call of twice(renewals, ({ token }) => token))
      check(call, 'two successors of one token', undefined);
    return found;
  }

  /** Whether anything may have ended a session before a moment. */
  canBeGone(id: string, moment = Infinity): boolean {
    return this.evicted.has(id) || this.possibleEndings(id).some((end) => end.began < moment);
  }

  private possibleEndings(id: string): Call[] {
    const users = new Set(this.signInsOn(id).map(({ issued }) => issued?.session.userId));
    return this.calls.filter(
      (call) =>
        (call.verb === 'revoke' && call.id === id && call.answer === true) ||
        (call.verb === 'revokeAll' && users.has(call.userId) && call.except !== id) ||
        call.verb === 'revokeEveryone' ||
        this.hasReplaced(call, id),
    );
  }

  /** The successful sign-ins on a session, and what made it. */
  signInsOn(id: string): Call[] {
    return this.calls.filter(({ verb, issued }) => verb !== 'rotate' && issued?.session.id === id);
  }

  /** Calls that have ended this session if they returned. */
  private endings({ id, userId }: SessionView): Call[] {
    const [made] = this.signInsOn(id);
    const signIn = this.signInsOn(id).find(({ issued }) => issued?.session.userId === userId);
    return this.calls.filter((call) => {
      if (call.verb === 'revoke') return call.id === id && call.answer === true;
      // A sign-in that has begun before does not outlive it.
      const cameFirst = signIn !== undefined && Number(signIn.begun) < call.began;
      if (call.verb === 'revokeAll') return call.userId === userId && call.except !== id && cameFirst;
      if (call.verb === 'revokeEveryone')
        return userId === null ? made !== undefined && isBefore(made, call) : cameFirst;
      return this.hasReplaced(call, id);
    });
  }

  /** Of a sign-in that lost its race on another user's session: nobody ever had a token of it. */
  private wasTakenBack({ id, userId }: SessionView, call: Call): boolean {
    const isBeside = (other: Call) => other.began < call.ended && call.began < other.ended;
    const isPossible = this.calls.some(
      (other) => other.verb.startsWith('authenticate') && other.userId === userId && isBeside(other),
    );
    return isPossible && this.tokens(id).length === 0;
  }

  private hasReplaced({ verb, id, issued }: Call, replaced: string): boolean {
    return (
      verb.startsWith('authenticate') && id === replaced && issued !== undefined && issued.session.id !== id
    );
  }

  /** Rotations that returned before the call and began when its token was known. */
  private rotationsPast(call: Call, { id }: SessionView): Call[] {
    const { token } = call;
    const known = this.tokens(id).find((each) => each.token === token)?.from;
    if (token === undefined || known === undefined) return [];
    const isRotation = ({ verb, issued }: Call) => verb !== 'create' && issued?.session.id === id;
    return this.calls.filter((other) => isRotation(other) && isBefore(known, other) && isBefore(other, call));
  }

  /** Whether somebody has signed in on the session since its token was handed out to nobody. */
  private isPlanted(call: Call): boolean {
    const { id = '', token } = call;
    const from = this.tokens(id).find((each) => each.token === token)?.from;
    const isOfUser = (signIn: Call) => signIn.issued?.session.userId !== null;
    const signIn = this.signInsOn(id).find(isOfUser);
    return (
      from !== undefined &&
      signIn !== undefined &&
      isBefore(from, signIn) &&
      isBefore(signIn, call) &&
      !isOfUser(this.signInsOn(id)[0] ?? signIn)
    );
  }

  private hasRightRoles(call: Call, { id, userId, roles }: SessionView): boolean {
    if (userId === null) return roles.length === 0;
    const signIns = this.signInsOn(id).filter(
      (signIn) => signIn.issued?.session.userId === userId && this.rolesGivenBy(signIn, id) !== null,
    );
    const settings = this.calls.filter(({ verb, userId: whose }) => verb === 'setRoles' && whose === userId);
    const writers = [...signIns, ...settings].filter(({ began }) => began < call.ended);
    const done = writers.filter((writer) => isBefore(writer, call));
    return writers.some((writer) => {
      const isOverwritten = done.some(
        (later) =>
          isBefore(writer, later) ||
          // A sign-in that has begun before a `setRoles` does not bring old roles back.
          (signIns.includes(writer) && later.verb === 'setRoles' && Number(writer.begun) < later.began),
      );
      return !isOverwritten && this.rolesGivenBy(writer, id)?.join() === roles.join();
    });
  }

  /** `null` where it keeps those that there are. */
  private rolesGivenBy(call: Call, id: string): readonly string[] | null {
    if (call.roles !== undefined) return call.roles;
    const earlier = this.signInsOn(id).filter((other) => isBefore(other, call));
    return earlier.every(({ issued }) => issued?.session.userId === null) ? [] : null;
  }

  /** Calls that added to the data of this session, and said so. */
  private additionsTo({ id }: SessionView): Call[] {
    return this.calls.filter(
      ({ verb, key, id: about, answer, issued }) =>
        key !== undefined &&
        (verb === 'update' ? about === id && answer !== null : issued?.session.id === id),
    );
  }

  private isDataExplained(call: Call, session: SessionView): boolean {
    const keys = new Set(
      this.additionsTo(session).flatMap(({ began, key }) => (began < call.ended ? [key] : [])),
    );
    return Object.keys(session.data).every((key) => keys.has(key));
  }

  private isRefusalExplained({ verb, began, ended, id, userId, token, answer }: Call): boolean {
    const changes = this.calls.filter(
      (call) =>
        call.verb === 'revokeEveryone' ||
        ((call.verb === 'revokeAll' || call.verb === 'setRoles') && call.userId === userId),
    );
    const isBeside = (other: Call) => began < other.ended && other.began < ended;
    const isOvertaken = changes.some(isBeside);
    // Newer sign-ins of the user have ended the session before it was told of.
    const isEvicted =
      this.evicts &&
      this.calls.some(
        (other) =>
          other.begun !== undefined && other.began !== began && other.userId === userId && isBeside(other),
      );
    const canBeGone = id !== undefined && this.canBeGone(id, ended);
    const wasPlanted = id !== undefined && this.signInsOn(id)[0]?.issued?.session.userId === null;
    const byId = this.calls.filter(
      (other) => other.issued?.session.id === id && ['rotate', 'authenticate'].includes(other.verb),
    );
    const isRotated = this.calls.some(
      (other) => other.issued?.session.id === id && other.began < ended && other.issued?.token !== token,
    );
    switch (answer) {
      case null:
        return canBeGone;
      case 'session_invalid':
        return verb === 'create'
          ? isOvertaken || isEvicted
          : isOvertaken || isEvicted || canBeGone || (token !== undefined && isRotated);
      case 'unknown':
        return canBeGone || wasPlanted || byId.length > RECOGNISED_ROTATIONS;
      case 'rotated':
        return isRotated;
      case 'malformed':
      case 'reused':
      case 'expired':
        return false;
      default:
        return true;
    }
  }
}

/** Whether one call had returned when the other was made. */
function isBefore(one: Call, other: Call): boolean {
  return one.ended < other.began;
}

function only(isViolated: boolean): readonly undefined[] {
  return isViolated ? [undefined] : [];
}

function twice(calls: readonly Call[], by: (call: Call) => unknown): Call[] {
  const seen = new Set<unknown>();
  return calls.filter((call) => seen.size === seen.add(by(call)).size);
}

export function print({ verb, began, ended, ...rest }: Call): string {
  const short = (name: string, value: unknown) => {
    if (name.endsWith('At')) return typeof value === 'number' ? value % 1_000_000_000 : value;
    return typeof value === 'string' && value.length > 20 ? `…${value.slice(-6)}` : value;
  };
  return `${began}-${ended} ${verb} ${JSON.stringify(rest, short).replaceAll('"', '')}`;
}
