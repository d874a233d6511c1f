import { type ActiveSession, CurrentSession, type SessionData, SessionService } from 'nestjs-sessions';
import { expect, test } from 'tstyche';

declare const sessions: SessionService;
declare const session: ActiveSession;

test('data is that of SessionTypes', () => {
  expect<SessionData>().type.toBe<{ locale?: string }>();
  expect(session.data.locale).type.toBe<string | undefined>();
});

test('data of another type', () => {
  // @ts-expect-error Type 'number' is not assignable to type 'string'.
  void sessions.create({ userId: 'ana', data: { locale: 5 } });
  // @ts-expect-error 'local' does not exist in type '{ readonly locale?: string
  void sessions.createAnonymous({ local: 'de' });
  // @ts-expect-error Type 'number' is not assignable to type 'string'.
  void sessions.update('id', () => ({ locale: 5 }));
  // @ts-expect-error Property 'theme' does not exist on type '{ readonly locale?: string
  void session.data.theme;
});

test('data of a session is not for writing', () => {
  // @ts-expect-error Cannot assign to 'locale' because it is a read-only property.
  session.data.locale = 'en';
  // @ts-expect-error Cannot assign to 'data' because it is a read-only property.
  session.data = {};
});

test('a change gets data that it may write to, and any session gives data for another', () => {
  void sessions.update('id', (data) => {
    data.locale = 'en';
    return data;
  });
  void sessions.update('id', () => session.data);
  void sessions.createAnonymous(session.data);
  void sessions.create({ userId: 'ana', data: session.data });
});

test('a parameter for data of another type', () => {
  class Handlers {
    fits(@CurrentSession('data') _data: { locale?: string }) {}
    isFromSessionTypes(@CurrentSession('data') _data: SessionData) {}
    // @ts-expect-error @CurrentSession('data') gives another type than that of this parameter.
    doesNot(@CurrentSession('data') _data: { locale?: number }) {}
  }
  void Handlers;
});
