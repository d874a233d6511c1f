import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { expect, it } from '@jest/globals';
import { closeForCallsWithoutGuard, noteAsked } from '../../src/http/placement/outside-calls.js';

it('a call is noted only where it may be looked for', () => {
  class Called {
    method(): void {}
  }
  const [early, late] = [{}, {}] as [ExecutionContext, ExecutionContext];
  noteAsked(early);
  closeForCallsWithoutGuard(Called, 'method');
  noteAsked(late);
  const [guard] = Reflect.getMetadata('__guards__', Called.prototype.method) as [CanActivate];
  expect([guard.canActivate(early), guard.canActivate(late)]).toEqual([false, true]);
});
