import type { INestApplicationContext } from '@nestjs/common';
import type { SessionEvent } from '../core/model/session-event.js';
import { SessionService } from '../session.service.js';

/** The `type` of an event. */
export type SessionEventType = SessionEvent['type'];
/** The events of one type. */
export type SessionEventOf<Type extends SessionEventType> = Extract<SessionEvent, { readonly type: Type }>;

/** What happened to the sessions of an application since the recording began. */
export interface SessionEventRecorder {
  /** All of it, in order. */
  readonly events: readonly SessionEvent[];
  /** Those of one type. */
  of<Type extends SessionEventType>(type: Type): SessionEventOf<Type>[];
  /** The first one of a type after this call. Rejects when the recording stops before it. */
  next<Type extends SessionEventType>(type: Type): Promise<SessionEventOf<Type>>;
  /** Ends the recording; what was recorded stays. */
  stop(): void;
}

/**
 * ```ts
 * const recorder = recordSessionEvents(app);
 * await request(app.getHttpServer()).post('/auth/sign-out').set(bearer);
 * expect(recorder.of('revoked')).toMatchObject([{ userId: 'ana', reason: 'sign-out' }]);
 * ```
 *
 * @param app the application, or the testing module that it is made of
 */
export function recordSessionEvents(app: Pick<INestApplicationContext, 'get'>): SessionEventRecorder {
  const events: SessionEvent[] = [];
  const waiting = new Set<{ tell(event: SessionEvent): void; giveUp(): void }>();
  const subscription = app.get(SessionService, { strict: false }).events.subscribe((event) => {
    events.push(event);
    for (const waiter of waiting) waiter.tell(event);
  });

  return {
    events,
    of: (type) => events.filter(isOf(type)),
    next: (type) =>
      new Promise((resolve, reject) => {
        const isWanted = isOf(type);
        const waiter = {
          tell(event: SessionEvent): void {
            if (!isWanted(event)) return;
            waiting.delete(waiter);
            resolve(event);
          },
          giveUp: () => reject(new Error(`The recording stopped before there was an event \`${type}\`.`)),
        };
        if (subscription.closed) waiter.giveUp();
        else waiting.add(waiter);
      }),
    stop() {
      subscription.unsubscribe();
      for (const waiter of waiting) waiter.giveUp();
      waiting.clear();
    },
  };
}

function isOf<Type extends SessionEventType>(type: Type) {
  return (event: SessionEvent): event is SessionEventOf<Type> => event.type === type;
}
