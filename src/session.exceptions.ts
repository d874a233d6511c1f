import { HttpException, HttpStatus } from '@nestjs/common';
import {
  InvalidArgumentError,
  SessionGoneError,
  SessionLimitError,
  SignInOvertakenError,
  StoreUnavailableError,
} from './core/model/errors.js';
import type { RefusalCode } from './core/model/session-event.js';
import type { RefusalReason } from './core/model/session.js';

/** Seconds after which a client may try again when the store was unreachable. */
const RETRY_AFTER = 2;

/** A refusal of this library: status and body in Nest's shape plus `code`, and the headers that belong to it. */
export abstract class SessionException extends HttpException {
  protected constructor(
    status: HttpStatus,
    /** What clients should go by; the message is for people. */
    readonly code: RefusalCode | 'invalid_argument',
    message: string,
    /** Set on the answer by the guard and the interceptors. */
    readonly headers: Readonly<Record<string, string>> = {},
    cause?: unknown,
  ) {
    super({ statusCode: status, message, error: ERROR_NAMES[status], code }, status, { cause });
  }
}

const ERROR_NAMES: Readonly<Record<number, string>> = {
  [HttpStatus.BAD_REQUEST]: 'Bad Request',
  [HttpStatus.UNAUTHORIZED]: 'Unauthorized',
  [HttpStatus.FORBIDDEN]: 'Forbidden',
  [HttpStatus.CONFLICT]: 'Conflict',
  [HttpStatus.TOO_MANY_REQUESTS]: 'Too Many Requests',
  [HttpStatus.SERVICE_UNAVAILABLE]: 'Service Unavailable',
};

const INVALID_TOKEN = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };

/** 401 without a fault in the token: there is none, or it is that of an anonymous session (RFC 6750 §3.1). */
export class SessionRequiredException extends SessionException {
  constructor(message = 'Sign in first.') {
    super(HttpStatus.UNAUTHORIZED, 'session_required', message, { 'WWW-Authenticate': 'Bearer' });
  }
}

/** 401: the token belongs to no session, or not any more. */
export class SessionInvalidException extends SessionException {
  constructor(message = 'The session is not valid. Sign in again.', cause?: unknown) {
    super(HttpStatus.UNAUTHORIZED, 'session_invalid', message, INVALID_TOKEN, cause);
  }
}

/** 401: the session has passed its idle or absolute timeout. */
export class SessionExpiredException extends SessionException {
  constructor() {
    super(
      HttpStatus.UNAUTHORIZED,
      'session_expired',
      'The session has expired. Sign in again.',
      INVALID_TOKEN,
    );
  }
}

/** 403: the session has none of the roles that are required. */
export class RoleRequiredException extends SessionException {
  constructor() {
    super(HttpStatus.FORBIDDEN, 'role_required', 'You are not allowed to do this.', {
      'WWW-Authenticate': 'Bearer error="insufficient_scope"',
    });
  }
}

/** 401: the session is fine, but its sign-in is too old or too weak for this (RFC 9470). */
export class ReauthenticationRequiredException extends SessionException {
  /** @param maxAge seconds since the sign-in; @param level authenticator assurance level */
  constructor(required: { maxAge?: number; level?: number }) {
    const challenge = ['Bearer error="insufficient_user_authentication"'];
    if (required.maxAge !== undefined) challenge.push(`max_age="${required.maxAge}"`);
    if (required.level !== undefined) challenge.push(`acr_values="${required.level}"`);
    super(HttpStatus.UNAUTHORIZED, 'reauthentication_required', 'Confirm that it is you first.', {
      'WWW-Authenticate': challenge.join(', '),
    });
  }
}

/** 403: sessions travel over HTTPS only. */
export class HttpsRequiredException extends SessionException {
  constructor() {
    super(HttpStatus.FORBIDDEN, 'https_required', 'Use HTTPS.');
  }
}

/** 403: a page of another origin sent this request with the cookie. */
export class CrossOriginException extends SessionException {
  constructor() {
    super(HttpStatus.FORBIDDEN, 'cross_origin', 'Requests from other origins are not accepted here.');
  }
}

/** 409: the user has as many sessions as are allowed. */
export class SessionLimitException extends SessionException {
  constructor(cause?: unknown) {
    const message = 'You are signed in on as many devices as are allowed. Sign out on another one first.';
    super(HttpStatus.CONFLICT, 'session_limit', message, {}, cause);
  }
}

/** 429: from this address came too many tokens that no session has. */
export class TooManyGuessesException extends SessionException {
  /** @param retryAfter seconds */
  constructor(retryAfter: number) {
    super(HttpStatus.TOO_MANY_REQUESTS, 'too_many_guesses', 'Too many invalid sessions. Try again later.', {
      'Retry-After': String(retryAfter),
    });
  }
}

/** 503: the store did not answer. Says nothing about the session: clients keep their token and try again. */
export class SessionStoreUnavailableException extends SessionException {
  constructor(cause?: unknown) {
    super(
      HttpStatus.SERVICE_UNAVAILABLE,
      'session_store_unavailable',
      'Sessions cannot be checked at the moment. Try again.',
      { 'Retry-After': String(RETRY_AFTER) },
      cause,
    );
  }
}

/** 400: a verb of `SessionService` was called with something that it cannot take. */
export class InvalidSessionArgumentException extends SessionException {
  constructor(cause: InvalidArgumentError) {
    super(HttpStatus.BAD_REQUEST, 'invalid_argument', cause.message, {}, cause);
  }
}

/** The answer to a token that was not accepted. */
export function refusalOf(reason: RefusalReason): SessionException {
  return reason === 'expired' ? new SessionExpiredException() : new SessionInvalidException();
}

/** The HTTP exception for an error of the core; anything else as it is. */
export function toException(error: unknown): unknown {
  if (error instanceof StoreUnavailableError) return new SessionStoreUnavailableException(error);
  if (error instanceof SessionGoneError) return new SessionInvalidException(undefined, error);
  if (error instanceof SignInOvertakenError) {
    return new SessionInvalidException(
      'Your sessions were changed during the sign-in. Sign in again.',
      error,
    );
  }
  if (error instanceof SessionLimitError) return new SessionLimitException(error);
  if (error instanceof InvalidArgumentError) return new InvalidSessionArgumentException(error);
  return error;
}
