import type { RefusalCode, RevocationReason } from 'nestjs-sessions';
import type { SessionEventRecorder } from 'nestjs-sessions/testing';
import { expect, test } from 'tstyche';

declare const recorder: SessionEventRecorder;

test('events of a type have what that type has', () => {
  expect(recorder.of('revoked')[0]!.reason).type.toBe<RevocationReason>();
  expect(recorder.next('refused').then(({ code }) => code)).type.toBe<Promise<RefusalCode>>();
  // @ts-expect-error Property 'reason' does not exist on type
  void recorder.of('created')[0]!.reason;
  // @ts-expect-error Argument of type '"revokd"' is not assignable to parameter of type
  recorder.of('revokd');
});
