/**
 * What went wrong, for programs. The code of the server's answer where a sign-in was refused, such as
 * `sign_in_failed`; otherwise one of:
 * - `refused`: a sign-in was refused with an answer that has no code;
 * - `superseded`: a sign-in was answered after a sign-out, a `forget()` or a later sign-in;
 * - `not_a_session`: the answer to a sign-in is not that of `@StartSession()`;
 * - `redirected`: the server answered with a redirect, which was not followed;
 * - `stream_consumed`: a request would have to be repeated, and its body is a stream.
 */
export class SessionClientError extends Error {
  /** What programs go by. */
  declare readonly code: string;
  /** The status of the answer that refused a sign-in; `null` for anything else. */
  declare readonly status: number | null;
  /** The body of that answer. */
  declare readonly body: unknown;

  constructor(code: string, message: string, status: number | null = null, body: unknown = null) {
    super(message);
    Object.assign(this, { name: 'SessionClientError', code, status, body });
  }
}
