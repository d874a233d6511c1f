import { SIGN_IN_LAPSE } from '../outage/time-budgets.js';

/**
 * When a sign-in began: before anybody looked at credentials. Made by `SessionService.beginSignIn`, for `create` and
 * `authenticate` within 12 hours. It holds nothing secret.
 */
export class BegunSignIn {
  /** @internal `beginSignIn()` makes it. */
  constructor(
    /** Of the latest change to anybody's sessions: see `SessionStore.latestChange`. What came first is told by it alone. */
    readonly latestChange: number,
    /** Epoch milliseconds. */
    private readonly at: number,
  ) {}

  /** Whether the marks that the sign-in has to look for may be forgotten by now. */
  hasLapsed(now: number): boolean {
    return now - this.at > SIGN_IN_LAPSE;
  }
}
