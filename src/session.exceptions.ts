import {
  BadRequestException,
  ConflictException,
  ForbiddenException,
  HttpException,
  type HttpExceptionOptions,
  HttpStatus,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
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

const ERROR_NAMES: Readonly<Record<number, string>> = {
  [HttpStatus.BAD_REQUEST]: 'Bad Request',
  [HttpStatus.UNAUTHORIZED]: 'Unauthorized',
  [HttpStatus.FORBIDDEN]: 'Forbidden',
  [HttpStatus.CONFLICT]: 'Conflict',
  [HttpStatus.TOO_MANY_REQUESTS]: 'Too Many Requests',
  [HttpStatus.SERVICE_UNAVAILABLE]: 'Service Unavailable',
};

/** What is ours, whichever of Nest's exceptions it extends. */
const refusals = new WeakSet<object>();

/**
 * A refusal of this library: status and body in Nest's shape plus `code`, and the headers that belong to it. Each is one
 * of Nest's exceptions as well, such as `UnauthorizedException`, so that the application's filters for those catch it.
 */
export abstract class SessionException extends HttpException {
  /** What clients should go by; the message is for people. */
  declare readonly code: RefusalCode | 'sign_in_failed' | 'invalid_argument';
  /** Set on the answer by the guard and the interceptors. */
  declare readonly headers: Readonly<Record<string, string>>;

  /** Holds for every refusal of this library, though each extends one of Nest's classes. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== SessionException) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && refusals.has(value);
  }
}

type NestException<Exception> = new (body: object, options: HttpExceptionOptions) => Exception;

type Refusal<Exception> = abstract new (
  code: SessionException['code'],
  message: string,
  headers?: SessionException['headers'],
  cause?: unknown,
) => Exception & SessionException;

/** One of Nest's exceptions as a refusal of this library. */
function refusal<Exception extends HttpException>(
  status: HttpStatus,
  nestException: NestException<Exception>,
): Refusal<Exception> {
  const Base = nestException as NestException<HttpException>;
  abstract class SessionRefusal extends Base {
    constructor(
      readonly code: SessionException['code'],
      message: string,
      readonly headers: SessionException['headers'] = {},
      cause?: unknown,
    ) {
      super({ statusCode: status, message, error: ERROR_NAMES[status], code }, { cause });
      refusals.add(this);
    }
  }
  return SessionRefusal as unknown as Refusal<Exception>;
}

/** Nest has none for it. */
class TooManyRequestsException extends HttpException {
  constructor(body: object, options: HttpExceptionOptions) {
    super(body, HttpStatus.TOO_MANY_REQUESTS, options);
  }
}

const Unauthorized = refusal(HttpStatus.UNAUTHORIZED, UnauthorizedException);
const Forbidden = refusal(HttpStatus.FORBIDDEN, ForbiddenException);

const NO_FAULT_OF_THE_TOKEN = { 'WWW-Authenticate': 'Bearer' };
const INVALID_TOKEN = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };

/** 401 without a fault in the token: there is none, or it is that of an anonymous session (RFC 6750 §3.1). */
export class SessionRequiredException extends Unauthorized {
  constructor(message = 'Sign in first.') {
    super('session_required', message, NO_FAULT_OF_THE_TOKEN);
  }
}

/** 401: the credentials of a sign-in or step-up are wrong. Whoever has a session keeps it. */
export class SignInFailedException extends Unauthorized {
  constructor(message = 'Sign-in failed.') {
    super('sign_in_failed', message, NO_FAULT_OF_THE_TOKEN);
  }
}

/** 401: the token belongs to no session, or not any more. */
export class SessionInvalidException extends Unauthorized {
  constructor(message = 'The session is not valid. Sign in again.', cause?: unknown) {
    super('session_invalid', message, INVALID_TOKEN, cause);
  }
}

/** 401: the session has passed its idle or absolute timeout. */
export class SessionExpiredException extends Unauthorized {
  constructor() {
    super('session_expired', 'The session has expired. Sign in again.', INVALID_TOKEN);
  }
}

/** 403: the session has none of the roles that are required. */
export class RoleRequiredException extends Forbidden {
  constructor() {
    super('role_required', 'You are not allowed to do this.', {
      'WWW-Authenticate': 'Bearer error="insufficient_scope"',
    });
  }
}

/** 401: the session is fine, but its sign-in is too old or too weak for this (RFC 9470). */
export class ReauthenticationRequiredException extends Unauthorized {
  /** @param maxAge seconds since the sign-in; @param level authenticator assurance level */
  constructor(required: { maxAge?: number; level?: number }) {
    const challenge = ['Bearer error="insufficient_user_authentication"'];
    if (required.maxAge !== undefined) challenge.push(`max_age="${required.maxAge}"`);
    if (required.level !== undefined) challenge.push(`acr_values="${required.level}"`);
    super('reauthentication_required', 'Confirm that it is you first.', {
      'WWW-Authenticate': challenge.join(', '),
    });
  }
}

/** 403: sessions travel over HTTPS only. */
export class HttpsRequiredException extends Forbidden {
  constructor() {
    super('https_required', 'Use HTTPS.');
  }
}

/** 403: a page of another origin sent this request with the cookie. */
export class CrossOriginException extends Forbidden {
  constructor() {
    super('cross_origin', 'Requests from other origins are not accepted here.');
  }
}

/** 409: the user has as many sessions as are allowed. */
export class SessionLimitException extends refusal(HttpStatus.CONFLICT, ConflictException) {
  constructor(cause?: unknown) {
    const message = 'You are signed in on as many devices as are allowed. Sign out on another one first.';
    super('session_limit', message, {}, cause);
  }
}

/** 429: from this address came too many tokens that no session has. */
export class TooManyGuessesException extends refusal<HttpException>(
  HttpStatus.TOO_MANY_REQUESTS,
  TooManyRequestsException,
) {
  /** @param retryAfter seconds */
  constructor(retryAfter: number) {
    super('too_many_guesses', 'Too many invalid sessions. Try again later.', {
      'Retry-After': String(retryAfter),
    });
  }
}

/** 503: the store did not answer. Says nothing about the session: clients keep their token and try again. */
export class SessionStoreUnavailableException extends refusal(
  HttpStatus.SERVICE_UNAVAILABLE,
  ServiceUnavailableException,
) {
  constructor(cause?: unknown) {
    super(
      'session_store_unavailable',
      'Sessions cannot be checked at the moment. Try again.',
      { 'Retry-After': String(RETRY_AFTER) },
      cause,
    );
  }
}

/** 400: a verb of `SessionService` was called with something that it cannot take. */
export class InvalidSessionArgumentException extends refusal(HttpStatus.BAD_REQUEST, BadRequestException) {
  /** @internal The verbs throw it. */
  constructor(cause: InvalidArgumentError) {
    super('invalid_argument', cause.message, {}, cause);
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
