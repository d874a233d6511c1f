import { type Observable, Subject } from 'rxjs';
import type { SessionRecord } from '../model/record.js';
import type { EventSubjects, SessionEvent, SessionEventDetail } from '../model/session-event.js';
import { Deadline } from '../outage/deadline.js';
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

  emit(detail: SessionEventDetail, about: About | Partial<EventSubjects> | null = null): void {
    if (!this.subject.observed) return;
    const event = {
      ...detail,
      at: new Date(this.clock()),
      ...subjectsOf(about ?? {}),
      origin: 'own' as const,
    };
    // What a subscriber calls has its own time, and not the rest of what the event is about.
    Deadline.none().run(() => this.subject.next(event));
  }

  /** Tells what has happened on another node. */
  relay(event: SessionEvent): void {
    this.subject.next({ ...event, client: null, origin: 'other' });
  }
}

function subjectsOf(about: About | Partial<EventSubjects>): EventSubjects {
  if (!('id' in about)) return { sessionId: null, userId: null, client: null, ...about };
  const { id, userId, ip, userAgent, label } = about;
  return { sessionId: id, userId, client: { ip, userAgent, label } };
}
