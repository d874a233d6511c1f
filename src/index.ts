export {
  redisBus,
  type RedisBusClients,
  type RedisPublisher,
  type RedisSubscriber,
} from './cluster/buses/redis-bus.js';
export type { RevokeAllOptions, RevokeEveryoneOptions, RevokeOptions } from './core/life/revocation.js';
export type { ListOptions } from './core/life/session-lookup.js';
export type { Actor } from './core/model/actor.js';
export type { AuditEntry, AuditLevel } from './core/model/audit-entry.js';
export type { Duration } from './core/model/duration.js';
export {
  SessionDecoratorError,
  SessionOptionsError,
  SessionSchemaError,
  StoreRejectedError,
} from './core/model/errors.js';
export type {
  EventOrigin,
  RefusalCode,
  Requester,
  RevocationReason,
  SessionEvent,
} from './core/model/session-event.js';
export type {
  AuditSink,
  ClearSiteData,
  ClusterOptions,
  CookieOptions,
  GuessingOptions,
  HttpsOptions,
  NearCacheOptions,
  PurgeOptions,
  RoleOptions,
  SecretOptions,
  SessionModuleOptions,
  TimeoutOptions,
  Transport,
} from './core/options/options.js';
export type { SecurityLevel } from './core/policy/policy.js';
export type {
  NearCacheStatement,
  RoleStatement,
  SessionLifetime,
  SessionPolicyDocument,
  TimeoutStatement,
} from './core/options/policy-document.js';
export type { ClientInfo, SessionPrincipal } from './core/model/principal.js';
export { SessionBus } from './core/model/session-bus.js';
export type { SessionRecord } from './core/model/record.js';
export {
  ActiveSession,
  AnonymousSession,
  type AuthenticationLevel,
  type IssuedSession,
  type JsonObject,
  type JsonValue,
  type PublicSession,
  type ReadonlyJsonObject,
  type ReadonlyJsonValue,
  type ReadonlySessionData,
  type RefusalReason,
  type Role,
  type SessionClient,
  type SessionData,
  type SessionTypes,
  type SessionVerdict,
} from './core/model/session.js';
export {
  type Admission,
  type Admitted,
  BATCH_SIZE,
  type BatchDone,
  type Change,
  type ChangeBatch,
  type EndedSession,
  type Expected,
  type ExpectedOwner,
  type ReuseJudgement,
  type RolesChange,
  type SessionPage,
  SessionStore,
  type Touch,
} from './core/model/store.js';
export {
  AllowAnonymous,
  Background,
  OptionalSession,
  Public,
  RequireLevel,
  RequireRecentAuth,
  RequireRole,
  RequireSession,
} from './http/access.decorators.js';
export { CurrentSession, type SessionParameterDecorator } from './http/current-session.decorator.js';
export {
  EndSession,
  EnsureSession,
  type SignInDecorator,
  type SignInHandler,
  StartSession,
} from './http/life.decorators.js';
export { sessionOf } from './http/request-state.js';
export type {
  SignInAnswerPart,
  EndSessionOptions,
  EnsureSessionOptions,
  StartSessionOptions,
} from './http/rules.js';
export { SessionAnswer } from './http/session-answer.js';
export { SessionCookie } from './http/session-cookie.js';
export type { BegunSignIn } from './core/life/begun-sign-in.js';
export { BeginSignIn } from './http/begin-sign-in.middleware.js';
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
  SignInFailedException,
  TooManyGuessesException,
} from './session.exceptions.js';
export type { SessionModuleStaticOptions } from './session.module-definition.js';
export { SessionModule } from './session.module.js';
export { SessionService, type SignInOptions } from './session.service.js';
export {
  BaseSessionEntity,
  SessionEntity,
  sessionEntities,
  SessionMessageEntity,
  SessionNodeEntity,
  SessionUserEntity,
} from './store/session.entity.js';
