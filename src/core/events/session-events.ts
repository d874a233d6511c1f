import { type Observable, Subject } from 'rxjs';
import type { SessionRecord } from '../model/record.js';
import type { SessionEvent, SessionEventDetail } from '../model/session-event.js';
import { IsolatedObservable } from './isolated-observable.js';

/** A session that an event is about. */
type About = Pick<SessionRecord, 'id' | 'userId' | 'ip' | 'userAgent' | 'label'>;

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

  emit(detail: SessionEventDetail, about: About | { userId: string | null } | null = null): void {
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
