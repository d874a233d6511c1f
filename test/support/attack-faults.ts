import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from '@jest/globals';

interface Answered {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Whatever is done to the applications of this suite: none of them answers with 500 or above, and no rejection is left
 * unhandled.
 *
 * @param carelessRoutes sign-ins whose handler returns whatever was sent as the principal, such as `POST /login`: that is
 * a mistake of its code, and answered with 500
 */
export function expectNoFaults(carelessRoutes: readonly string[] = []): void {
  const faults: string[] = [];
  const answered = channel('http.server.response.finish');
  // Jest gives tests a copy of `process`, which hears nothing.
  const host = process.getBuiltinModule('node:process');
  const onAnswer = (message: unknown): void => {
    const { request, response } = message as Answered;
    const route = `${request.method} ${request.url}`;
    const isExpected = response.statusCode === 500 && carelessRoutes.includes(route);
    if (response.statusCode >= 500 && !isExpected) faults.push(`${response.statusCode} ${route}`);
  };
  const onRejection = (reason: unknown): void => {
    faults.push(`unhandled: ${String(reason)}`);
  };
  beforeAll(() => {
    answered.subscribe(onAnswer);
    host.on('unhandledRejection', onRejection);
  });
  afterAll(async () => {
    await turn();
    answered.unsubscribe(onAnswer);
    host.off('unhandledRejection', onRejection);
    expect(faults).toEqual([]);
  });
}
