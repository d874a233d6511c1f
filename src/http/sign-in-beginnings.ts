import { Injectable } from '@nestjs/common';
import type { BegunSignIn } from '../core/life/begun-sign-in.js';
import { SessionCore } from '../core/session-core.js';

const BEGUN = Symbol('nestjs-sessions:begun');

type Begun = { [BEGUN]?: Promise<BegunSignIn> };

/** When the sign-ins of requests began: once in a request, for whoever looks at its credentials first. */
@Injectable()
export class SignInBeginnings {
  constructor(private readonly core: SessionCore) {}

  /** @param request the platform's, or that of Node which it wraps */
  of(request: object & { readonly raw?: object }): Promise<BegunSignIn> {
    const own = (request.raw ?? request) as Begun;
    return (own[BEGUN] ??= this.core.signIn.begin());
  }
}
