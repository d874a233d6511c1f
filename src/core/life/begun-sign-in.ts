/**
 * When a sign-in began: before anybody looked at credentials. Made by `SessionService.beginSignIn`, for `create` and
 * `authenticate`. It is no time, and holds nothing secret.
 */
export class BegunSignIn {
  /** @internal `beginSignIn()` makes it. */
  constructor(
    /** Of the latest change to anybody's sessions: see `SessionStore.latestChange`. */
    readonly latestChange: number,
  ) {}
}
