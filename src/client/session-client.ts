import { bodyOf, challengeOf, codeOf, type Verdict, verdictOf } from './answers.js';
import type { SessionClient, SessionClientOptions } from './contract.js';
import { SessionClientError } from './errors.js';
import { createListeners, type SessionInfo, type StepUpChallenge } from './events.js';
import { createHolder, type Gain, type Holding } from './holder.js';
import { addressOn, readOrigin } from './origin.js';
import {
  type Fetch,
  type InitLike,
  type InputLike,
  platform,
  type RequestLike,
  type ResponseLike,
  type Send,
} from './platform.js';
import { assertOnOrigin, objectionIn, type SocketCredentials } from './sockets.js';
import { tokenIn, withoutToken } from './token-header.js';
import { type Line, transmit } from './transmission.js';

type Url = Parameters<SessionClient['socketAuth']>[0];

/**
 * A socket ends at once when any page of the browser gets a new token, and the answer that brings the cookie is still on its
 * way then, in milliseconds.
 */
const COOKIE_COMES_WITHIN = 300;

/** A request, with what it was sent with and what the answer says of that. */
interface Attempt {
  readonly sent: Holding | null;
  readonly response: ResponseLike;
  readonly verdict: Verdict;
}

/** Makes a client that keeps its token in memory only. The token cannot be read from it. */
export function createSessionClient(options: SessionClientOptions): SessionClient {
  const { onStepUp, transport = 'bearer' } = options;
  const isCookie = transport === 'cookie';
  const origin = readOrigin(options.origin, options.insecureInDevelopment);
  // Browsers want their `fetch` called on the global object.
  const send = (options.fetch as Send | undefined) ?? ((input, init) => platform.fetch(input, init));
  const line: Line = { origin, isCookie, send };
  const signOutAddress = ownAddress(options.signOutPath);
  const statusAddress = options.statusPath && ownAddress(options.statusPath);
  const { on, emit } = createListeners();
  const holder = createHolder(emit, isCookie, options.idleTimeout);
  let signIns: Promise<unknown> = Promise.resolve();
  let stepUp: Promise<void> | null = null;

  function ownAddress(path: string): string {
    const address = addressOn(origin, path);
    if (!address) throw new TypeError(`'${path}' is not on ${origin}.`);
    return address;
  }

  /** Sends with what is held at this moment, and draws the conclusions from the answer. */
  async function attempt(input: string | RequestLike, init: InitLike, isSignIn = false): Promise<Attempt> {
    const sent = holder.take();
    const response = await transmit(line, input, init, sent);
    const renewed = tokenIn(response);
    if (renewed) holder.renew(sent, renewed);
    const verdict = await verdictOf(response);
    if (verdict && verdict !== 'step-up') {
      // A step-up that the server has done kills the token before the app has the new one.
      if (!isSignIn) await signIns;
      holder.refuse(sent, verdict);
    }
    return { sent, response: renewed ? withoutToken(response) : response, verdict };
  }

  async function fetch(input: InputLike, init: InitLike = {}): Promise<ResponseLike> {
    const request = typeof input === 'object' && 'url' in input ? input : null;
    const address = addressOn(origin, request ? request.url : String(input));
    if (!address) return send(input, init);
    const first = await attempt(request?.clone() ?? address, init);
    // If somebody has confirmed meanwhile, there is no need to ask again.
    if (first.verdict === 'step-up' && holder.current()?.signIn === first.sent?.signIn) {
      try {
        await (stepUp ??= askForStepUp(challengeOf(first.response)));
      } finally {
        stepUp = null;
      }
    }
    if (!isOutdated(first)) return first.response;
    // That is how a stream must be sent.
    if (init.duplex) {
      throw new SessionClientError(
        'stream_consumed',
        'Send the request again: a stream can be read only once.',
      );
    }
    return (await attempt(request ?? address, init)).response;
  }

  async function askForStepUp(challenge: StepUpChallenge): Promise<void> {
    emit({ type: 'step-up', ...challenge });
    await onStepUp?.(challenge);
  }

  /** Whether it was refused for what it was sent with, and the same session has something newer by now. */
  function isOutdated({ sent, verdict }: Attempt): boolean {
    const now = holder.current();
    if (!verdict || !sent || !now || now === sent) return false;
    // What one person has requested is not sent in the name of another.
    if (sent.sessionId && sent.sessionId !== now.sessionId) return false;
    return verdict !== 'step-up' || now.signIn !== sent.signIn;
  }

  function signIn<More extends object>(path: string, credentials: object): Promise<SessionInfo & More> {
    const work = authenticate<More>(path, credentials);
    signIns = Promise.allSettled([signIns, work]).then(() => {});
    return work;
  }

  async function authenticate<More extends object>(
    path: string,
    credentials: object,
  ): Promise<SessionInfo & More> {
    const number = holder.begin();
    const init = {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(credentials),
      redirect: 'error',
    };
    const { sent, response } = await attempt(ownAddress(path), init, true);
    const body = await bodyOf(response);
    const gain = gainOf(path, response, body);
    const before = holder.current();
    if (!holder.adopt(number, gain)) {
      void endOnServer(gain);
      throw new SessionClientError('superseded', 'Overtaken by a sign-out, forget() or later sign-in.');
    }
    // That of a sign-in at the same time, of which the server does not know that this one replaces it.
    if (before?.token && before !== sent && before.sessionId !== gain.session.id) void endOnServer(before);
    const { token: _token, expiresAt: _expiresAt, session, ...more } = body as Gain & { expiresAt?: string };
    return { ...(more as More), ...session };
  }

  function gainOf(path: string, { ok, status }: ResponseLike, body: unknown): Gain {
    if (!ok) {
      const code = codeOf(body);
      throw new SessionClientError(code, `${path} refused the sign-in: ${status} ${code}.`, status, body);
    }
    const { token, session } = (body ?? {}) as Partial<Gain>;
    if (session && isCookie === !token) return { token, session };
    throw new SessionClientError(
      'not_a_session',
      `${path} is no @StartSession() route with transport ${transport}.`,
    );
  }

  async function signOut(): Promise<boolean> {
    const held = holder.take();
    holder.discard('sign-out');
    return !held || endOnServer(held);
  }

  async function endOnServer(held: Pick<Holding, 'token'>): Promise<boolean> {
    try {
      return (await transmit(line, signOutAddress, { method: 'POST' }, held)).ok;
    } catch {
      return false;
    }
  }

  const forget = () => holder.discard('forgotten');

  function socketProtocols(url: Url, ...protocols: readonly [string, ...string[]]): string[] {
    const { token } = socketCredentials(url)();
    return token ? [...protocols, `bearer.${token}`] : [...protocols];
  }

  /** Asked at each connection, for what is held then. */
  function socketCredentials(url: Url): () => SocketCredentials {
    assertOnOrigin(origin, url);
    return () => {
      const token = holder.take()?.token;
      return token ? { token } : {};
    };
  }

  function socketAuth(url: Url) {
    const credentials = socketCredentials(url);
    return (callback: (auth: SocketCredentials) => void) => callback(credentials());
  }

  async function socketEnded(end: unknown): Promise<string | null> {
    if (!statusAddress)
      throw new TypeError('`statusPath` is missing: a path that can be asked, like "/me/session".');
    const objection = objectionIn(end);
    if (objection) return objection;
    if (isCookie) await new Promise<void>((resolve) => platform.setTimeout(resolve, COOKIE_COMES_WITHIN));
    // The app knows already, and an answer would tell it once more.
    if (!holder.current()) return 'session_required';
    const response = await fetch(statusAddress).catch(() => null);
    const isRefused = response?.status === 401 || response?.status === 403;
    return isRefused ? codeOf(await bodyOf(response)) : null;
  }

  return Object.freeze({
    fetch: fetch as unknown as Fetch,
    signIn,
    signOut,
    forget,
    socketProtocols,
    socketAuth,
    connectionParams: socketCredentials,
    socketEnded,
    on,
  });
}
