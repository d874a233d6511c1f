import type { SessionException } from '../session.exceptions.js';
import { needsSession, type Requirement } from '../http/requirement.js';
import type { ResolvedSessionOptions } from '../core/options/resolve-options.js';

type Code = SessionException['code'];

/** What a client is told of a refusal, besides its code. */
interface RefusedAnswer {
  readonly status: number;
  readonly description: string;
  readonly header?: 'WWW-Authenticate' | 'Retry-After';
}

/** In the order of the checks. `invalid_argument` is no answer of the guard: it is what the application asks for. */
export const REFUSED_ANSWERS: Readonly<Record<Exclude<Code, 'invalid_argument'>, RefusedAnswer>> = {
  https_required: { status: 403, description: 'The request came over plain HTTP.' },
  cross_origin: { status: 403, description: 'A page of another origin sent the request.' },
  session_required: {
    status: 401,
    description: 'There is no token, or nobody has signed in yet.',
    header: 'WWW-Authenticate',
  },
  session_invalid: {
    status: 401,
    description: 'The token belongs to no session, or not any more.',
    header: 'WWW-Authenticate',
  },
  session_expired: { status: 401, description: 'The session has expired.', header: 'WWW-Authenticate' },
  too_many_guesses: {
    status: 429,
    description: 'Too many invalid tokens came from this address.',
    header: 'Retry-After',
  },
  role_required: {
    status: 403,
    description: 'The session has none of the roles that are required.',
    header: 'WWW-Authenticate',
  },
  reauthentication_required: {
    status: 401,
    description: 'The last sign-in or step-up is too old or too weak (RFC 9470).',
    header: 'WWW-Authenticate',
  },
  sign_in_failed: { status: 401, description: 'The credentials are wrong.', header: 'WWW-Authenticate' },
  session_limit: { status: 409, description: 'The user has as many sessions as are allowed.' },
  session_store_unavailable: {
    status: 503,
    description: 'Sessions cannot be checked at the moment. The token stays valid.',
    header: 'Retry-After',
  },
};

export type RefusedCode = keyof typeof REFUSED_ANSWERS;

/** The codes that a handler may be refused with, in the order of the checks. */
export function codesOf(requirement: Requirement, options: ResolvedSessionOptions): RefusedCode[] {
  const { opens, roleSets, level, maxAge } = requirement;
  if (opens === 'public') return [];
  const isSessionNeeded = needsSession(requirement);
  const isStart = opens === 'start';
  const limit = options.maxSessionsPerUser !== null && options.onSessionLimit === 'reject';
  const applies: Readonly<Record<RefusedCode, boolean>> = {
    https_required: options.requireHttps !== null,
    cross_origin: true,
    session_required: isSessionNeeded,
    // Everywhere it is the answer to two tokens at once.
    session_invalid: true,
    session_expired: isSessionNeeded,
    too_many_guesses: isSessionNeeded && (options.guessing?.refuse ?? false),
    role_required: roleSets.length > 0,
    reauthentication_required: level > 0 || maxAge !== null,
    sign_in_failed: isStart,
    session_limit: isStart && limit,
    session_store_unavailable: true,
  };
  return (Object.keys(REFUSED_ANSWERS) as RefusedCode[]).filter((code) => applies[code]);
}
