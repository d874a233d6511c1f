import { type Observable, Subject } from 'rxjs';
import type { SessionRecord } from '../model/record.js';
import type { SessionEvent, SessionEventDetail } from '../model/session-event.js';
import { IsolatedObservable } from './isolated-observable.js';

/** Where events are told; `stream` is where they are heard. */
export class SessionEvents {
  readonly stream: Observable<SessionEvent>;
  private readonly subject = new Subject<SessionEvent>();

  constructor(
    private readonly clock: () => number,
    onSubscriberError: (error: unknown) => void,
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
      origin: 'own',
    });
  }

  /** Tells what has happened on another node. */
  relay(event: SessionEvent): void {
    this.subject.next({ ...event, client: null, origin: 'other' });
  }
}
