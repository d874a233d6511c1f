import type {
  ActiveSession,
  AnonymousSession,
  ReadonlyJsonObject,
  ReadonlyJsonValue,
  SessionService,
} from 'nestjs-sessions';
import { expect, test } from 'tstyche';

declare const session: ActiveSession;
declare const sessions: SessionService;

test('data of nobody who has told its type is JSON to be read', () => {
  expect(session.data).type.toBe<ReadonlyJsonObject>();
  expect<AnonymousSession['data']>().type.toBe<ReadonlyJsonObject>();
});

test('it is not for writing, at any depth', () => {
  // @ts-expect-error Index signature in type 'ReadonlyJsonObject' only permits reading.
  session.data.locale = 'en';
  const deep = session.data.deep as ReadonlyJsonObject;
  // @ts-expect-error Index signature in type 'ReadonlyJsonObject' only permits reading.
  deep.part = 1;
  const list = session.data.list as readonly ReadonlyJsonValue[];
  // @ts-expect-error Property 'push' does not exist on type 'readonly ReadonlyJsonValue[]'.
  list.push(1);
});

test('what `update` hands out is', () => {
  void sessions.update('id', (data) => {
    data.locale = 'en';
    return { ...data, list: [1, { a: [2] }] };
  });
  void sessions.update('id', () => session.data);
  void sessions.create({ userId: 'ana', data: session.data });
});
