import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { SessionGuard } from './session.guard.js';

/** Brings the guard along with a decorator: the very one that is global, so that a test can put another in its place. */
@Injectable()
export class DecoratorGuard implements CanActivate {
  constructor(private readonly guard: SessionGuard) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return this.guard.canActivate(context);
  }
}
