import { Observable, type Observer, type Operator, Subject, Subscriber, type Subscription } from 'rxjs';
import type { SessionClient } from './session.js';
import type { SessionRecord } from './record.js';

/** Why a session was ended before its time. */
export type RevocationReason =
  /** `@EndSession()` */
  | 'sign-out'
  /** `revoke`, `revokeAll` or `revokeEveryone` */
  | 'revoked'
  /** Another user signed in on it. */
  | 'replaced'
  /** The user's newer sessions used up `maxSessionsPerUser`. */
  | 'limit'
  /** A dead token of it was used long after its successor: see `reuse-detected`. */
  | 'reuse';

/** The `code` in the body of a refusal. */
export type RefusalCode =
  | 'session_required'
  | 'session_invalid'
  | 'session_expired'
  | 'role_required'
  | 'reauthentication_required'
  | 'https_required'
  | 'cross_origin'
  | 'session_limit'
  | 'too_many_guesses'
  | 'session_store_unavailable';

/** Where a request came from; all `null` with `recordClient: false`. */
export type Requester = Pick<SessionClient, 'ip' | 'userAgent'>;

interface Subjects {
  /** Public id; `null` where the event is about no single session. */
  readonly sessionId: string | null;
  readonly userId: string | null;
  /** Where the session was started; `null` where the event is about no single session. */
  readonly client: SessionClient | null;
}

/** What happened, before `at` and whom it is about are added. */
export type SessionEventDetail =
  | { readonly type: 'created' }
  /** A sign-in on an anonymous session, or a step-up. */
  | { readonly type: 'authenticated' }
  /** The periodic rotation of a token in use. */
  | { readonly type: 'renewed' }
  | { readonly type: 'rotated' }
  /** Its data changed. */
  | { readonly type: 'updated' }
  | { readonly type: 'roles-changed'; readonly roles: readonly string[]; readonly count: number }
  /** `count` with `revokeEveryone` only. */
  | { readonly type: 'revoked'; readonly reason: RevocationReason; readonly count?: number }
  /** A token was shown whose session has passed a timeout. */
  | { readonly type: 'expired' }
  | { readonly type: 'purged'; readonly count: number }
  /** A dead token was used long after its successor was: the session may have been stolen. */
  | { readonly type: 'reuse-detected' }
  /** From one address came `attempts` different tokens that no session has: see the option `guessing`. */
  | { readonly type: 'guessing-suspected'; readonly attempts: number; readonly requester: Requester }
  | { readonly type: 'refused'; readonly code: RefusalCode; readonly requester: Requester };

/** One event in the life of sessions. It never holds a token or a hash. */
export type SessionEvent = SessionEventDetail & Subjects & { readonly at: Date };

type Reporter = (error: unknown) => void;

/** Where events are told; `stream` is where they are heard. */
export class SessionEvents {
  readonly stream: Observable<SessionEvent>;
  private readonly subject = new Subject<SessionEvent>();

  constructor(
    private readonly clock: () => number,
    onSubscriberError: Reporter,
  ) {
    this.stream = new IsolatedObservable(onSubscriberError, this.subject);
  }

  emit(detail: SessionEventDetail, about: SessionRecord | { userId: string } | null = null): void {
    if (!this.subject.observed) return;
    const record = about !== null && 'id' in about ? about : null;
    this.subject.next({
      ...detail,
      at: new Date(this.clock()),
      sessionId: record?.id ?? null,
      userId: about?.userId ?? null,
      client: record && { ip: record.ip, userAgent: record.userAgent, label: record.label },
    });
  }
}

/**
 * RxJS turns the exception of a subscriber into an uncaught one, which ends the process. Here it is reported, and
 * neither the verb that told the event nor another subscriber notices.
 */
class IsolatedObservable<T> extends Observable<T> {
  constructor(
    private readonly report: Reporter,
    upstream: Observable<unknown>,
    operate?: Operator<unknown, T>,
  ) {
    super();
    this.source = upstream as Observable<T>;
    this.operator = operate as Operator<unknown, T>;
  }

  // What `pipe` builds upon: without it the isolation would end at the first operator.
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    return new IsolatedObservable<R>(this.report, this, operator as Operator<unknown, R>);
  }

  override subscribe(
    first?: Partial<Observer<T>> | ((value: T) => void) | null,
    onError?: ((error: unknown) => void) | null,
    onComplete?: (() => void) | null,
  ): Subscription {
    if (first instanceof Subscriber) return super.subscribe(first);
    const { next, error, complete } =
      typeof first === 'object' && first !== null
        ? bind(first)
        : { next: first, error: onError, complete: onComplete };
    return super.subscribe({
      next: (event) => this.isolate(() => next?.(event)),
      error: (reason) => this.isolate(() => (error ?? this.report)(reason)),
      complete: () => this.isolate(() => complete?.()),
    });
  }

  private isolate(call: () => unknown): void {
    try {
      const result = call();
      if (result instanceof Promise) result.catch(this.report);
    } catch (error) {
      this.report(error);
    }
  }
}

function bind<T>(observer: Partial<Observer<T>>): Partial<Observer<T>> {
  return {
    next: (value) => observer.next?.(value),
    ...(observer.error && { error: (reason) => observer.error?.(reason) }),
    complete: () => observer.complete?.(),
  };
}
