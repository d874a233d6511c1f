import type { SessionClientEvent, SessionClientListener, SessionInfo, StepUpChallenge } from './events.js';
import type { AnyFetch, Fetch } from './platform.js';
import type { SocketCredentials } from './sockets.js';

/** What a client needs to know of the API. */
export interface SessionClientOptions {
  /**
   * Scheme and host of the API, such as `'https://api.example.com'`: the only place that the token is sent to. It must
   * be HTTPS; for development also `http://` with localhost, 127.0.0.1 or [::1].
   */
  readonly origin: string;
  /**
   * Takes an `origin` such as `http://10.0.2.2:3000` too: everybody on the way can read the token. Only where the bundler
   * says that `process.env.NODE_ENV` is `development`; in a release, a client with such an origin throws. Default: false.
   */
  readonly insecureInDevelopment?: boolean;
  /** The path of the `@EndSession()` route, such as `'/auth/sign-out'`. */
  readonly signOutPath: string;
  /**
   * The path of a route that needs a session and is `@Background()`, such as `'/me/session'`: what `socketEnded()` asks.
   */
  readonly statusPath?: string;
  /**
   * Who holds the token. `'bearer'` (default): this client, in memory. `'cookie'`: the browser, where no script can
   * read it; then the client only tells of events, and answers step-up challenges.
   */
  readonly transport?: 'bearer' | 'cookie';
  /**
   * After how many milliseconds without a request the token is discarded. Default: the idle timeout that the answer to
   * the sign-in tells. Not with cookies, which other pages of the application may be using. What a socket sends is not
   * seen here: with sockets pass `Infinity`, and the server ends the session, and they with it.
   */
  readonly idleTimeout?: number;
  /**
   * Called when a request is refused until the person has confirmed who they are: ask, and call `signIn()` with the
   * path of the step-up. The request is then sent once more. Return without it, and the app gets the 401. Requests
   * that are refused meanwhile wait for the same call. Do not `fetch()` in here what may need a step-up itself.
   */
  readonly onStepUp?: (challenge: StepUpChallenge) => unknown;
  /** In place of the global `fetch`. */
  readonly fetch?: AnyFetch;
}

/** A session, as an app has it: the token is in it, and cannot be read. */
export interface SessionClient {
  /**
   * As the global `fetch`, with the session: takes paths such as `'/me'` too, and adds the token to requests to the
   * origin. Anything else is fetched as it is, without the token. Where this client holds the token, redirects of the
   * origin are not followed, wherever they lead: not every platform keeps the token back from where they would go.
   *
   * A request that was refused for its token, or until a step-up, is sent once more when the session has a newer one.
   *
   * @throws SessionClientError with the code `redirected`, or `stream_consumed` where the body cannot be sent again
   */
  readonly fetch: Fetch;

  /**
   * Posts the credentials, as JSON, to a `@StartSession()` route, and keeps the token of the answer. With a session, it
   * is the step-up of that session.
   *
   * @typeParam More what the answer has beside the session, by the option `answer` of the route
   * @returns the session, and beside its properties what else the answer has: never the token
   * @throws SessionClientError with the code of the answer when the sign-in is refused; the other codes are listed there
   */
  signIn<More extends object = object>(path: string, credentials: object): Promise<SessionInfo & More>;

  /**
   * Discards the token, at once and in any case, and ends the session on the server.
   *
   * @returns `false` if the server did not confirm: there the session goes on until its idle timeout. Never rejects
   */
  signOut(): Promise<boolean>;

  /**
   * Discards the token in this client only, as when the app goes to the background. On the server the session goes on
   * until its idle timeout: `signOut()` is what ends it.
   */
  forget(): void;

  /**
   * What a WebSocket shows in place of a header, which browsers let no page set:
   * `new WebSocket(url, session.socketProtocols(url, 'app'))`. The token is in it, so keep it nowhere, and ask anew for
   * each connection. The server answers with one of the other protocols.
   *
   * @param url where the socket goes to, whole
   * @param protocols what your server understands; one at least
   * @throws TypeError where that is not on the origin: the token would go elsewhere, or over plain HTTP
   */
  socketProtocols(
    url: string | { readonly href: string },
    ...protocols: readonly [string, ...string[]]
  ): string[];

  /**
   * The option `auth` of socket.io, which asks it at each connection: `io(url, { auth: session.socketAuth(url) })`.
   *
   * @throws TypeError as `socketProtocols()` does
   */
  socketAuth(url: string | { readonly href: string }): (callback: (auth: SocketCredentials) => void) => void;

  /**
   * The option `connectionParams` of graphql-ws, which asks it at each connection:
   * `createClient({ url, connectionParams: session.connectionParams(url) })`.
   *
   * @throws TypeError as `socketProtocols()` does
   */
  connectionParams(url: string | { readonly href: string }): () => SocketCredentials;

  /**
   * To be told of every end of a socket, and of every connection that failed: `close` of a WebSocket, `closed` of
   * graphql-ws, `disconnect` and `connect_error` of socket.io. Browsers hide from pages why a handshake was refused, so it
   * asks the route at `statusPath`; where the session is over, there is the event `ended`.
   *
   * @returns `null` where the app should connect again, such as with a token that was renewed meanwhile; otherwise why not:
   *   the code for which that would be refused, such as `session_invalid` or `role_required`, or `closed` for an end that
   *   somebody wanted
   * @throws TypeError where there is no `statusPath`
   */
  socketEnded(end: unknown): Promise<string | null>;

  /** Calls the listener at every event of this type, until what is returned is called. */
  on<Type extends SessionClientEvent['type']>(type: Type, listener: SessionClientListener<Type>): () => void;
}
