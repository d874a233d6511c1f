export type { Duration } from './core/duration.js';
export { SessionDecoratorError, SessionOptionsError } from './core/errors.js';
export type { RefusalCode, RevocationReason, SessionEvent } from './core/events.js';
export type {
  ClearSiteData,
  CookieOptions,
  PurgeOptions,
  RoleOptions,
  SecretOptions,
  SessionModuleOptions,
  TimeoutOptions,
  Transport,
} from './core/options.js';
export type { SecurityLevel } from './core/policy.js';
export type { AuthenticationLevel, ClientInfo, SessionPrincipal } from './core/principal.js';
export {
  ActiveSession,
  AnonymousSession,
  type IssuedSession,
  type JsonObject,
  type JsonValue,
  type PublicSession,
  type RefusalReason,
  type Role,
  type SessionClient,
  type SessionData,
  type SessionTypes,
  type SessionVerdict,
} from './core/session.js';
export {
  AllowAnonymous,
  Background,
  Public,
  RequireLevel,
  RequireRecentAuth,
  RequireRole,
  RequireSession,
} from './http/access.decorators.js';
export { CurrentSession } from './http/current-session.decorator.js';
export {
  EndSession,
  type SignInDecorator,
  type SignInHandler,
  StartSession,
} from './http/life.decorators.js';
export { sessionOf } from './http/request-state.js';
export type { EndSessionOptions, StartSessionOptions } from './http/rules.js';
export { SessionCookie } from './http/session-cookie.js';
export { SessionGuard } from './http/session.guard.js';
export type { BearerAnswer, CookieAnswer } from './http/token-delivery.js';
export {
  CrossOriginException,
  HttpsRequiredException,
  InvalidSessionArgumentException,
  ReauthenticationRequiredException,
  RoleRequiredException,
  SessionException,
  SessionExpiredException,
  SessionInvalidException,
  SessionLimitException,
  SessionRequiredException,
  SessionStoreUnavailableException,
} from './session.exceptions.js';
export type { SessionModuleStaticOptions } from './session.module-definition.js';
export { SessionModule } from './session.module.js';
export { SessionService } from './session.service.js';
export {
  BaseSessionEntity,
  SessionEntity,
  sessionEntities,
  SessionUserEntity,
} from './store/session.entity.js';
