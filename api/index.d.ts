import type {
  BadRequestException,
  CanActivate,
  ConflictException,
  DynamicModule,
  ExecutionContext,
  ForbiddenException,
  HttpException,
  NestMiddleware,
  ServiceUnavailableException,
  Type,
  UnauthorizedException,
} from '@nestjs/common';

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

import type { Socket } from 'node:net';

import type { Observable } from 'rxjs';

export declare abstract class ActiveSession {
  abstract readonly id: string;
  abstract readonly userId: string;
  abstract readonly roles: readonly Role[];
  abstract readonly level: AuthenticationLevel;
  abstract readonly createdAt: Date;
  abstract readonly authenticatedAt: Date;
  abstract readonly lastSeenAt: Date;
  abstract readonly expiresAt: Date;
  abstract readonly client: SessionClient;
  abstract readonly data: ReadonlySessionData;
  abstract toJSON(): PublicSession;
}

export interface Actor {
  readonly userId: string;
  readonly sessionId?: string;
}

export interface Admission {
  readonly userId: string;
  readonly begun: number;
  readonly now: number;
  readonly limit: {
    readonly max: number;
    readonly onReached: 'evict-oldest' | 'reject';
  } | null;
}

export type Admitted =
  | {
      readonly outcome: 'admitted';
      readonly evicted: readonly EndedSession[];
    }
  | {
      readonly outcome: 'limit-reached';
    }
  | {
      readonly outcome: 'overtaken';
    }
  | {
      readonly outcome: 'conflict';
    };

export declare function AllowAnonymous(): ClassDecorator & MethodDecorator;

export declare abstract class AnonymousSession {
  abstract readonly id: string;
  abstract readonly userId: null;
  abstract readonly roles: readonly [];
  abstract readonly level: null;
  abstract readonly createdAt: Date;
  abstract readonly authenticatedAt: null;
  abstract readonly lastSeenAt: Date;
  abstract readonly expiresAt: Date;
  abstract readonly client: SessionClient;
  abstract readonly data: ReadonlySessionData;
  abstract toJSON(): PublicSession;
}

export type AuditEntry<E = SessionEvent> = E extends SessionEvent
  ? Head<E['type']> & Classification & Omit<E, 'type' | 'at' | 'origin'>
  : never;

export type AuditLevel = 'verbose' | 'debug' | 'log' | 'warn';

export type AuditSink = (entry: AuditEntry) => void | Promise<void>;

export type AuthenticationLevel = 1 | 2 | 3;

export declare const BATCH_SIZE = 1000;

export declare function Background(): ClassDecorator & MethodDecorator;

export declare abstract class BaseSessionEntity extends BaseSessionEntity_base {}

export interface BatchDone<Result> {
  readonly result: Result;
  readonly next: string | null;
}

export interface BearerAnswer {
  readonly token: string;
  readonly expiresAt: Date;
  readonly session: PublicSession;
}

export declare class BeginSignIn implements NestMiddleware {
  use(request: object, _response: unknown, next: () => void): Promise<void>;
}

export declare class BegunSignIn {
  readonly latestChange: number;
  hasLapsed(now: number): boolean;
}

export type Change = Partial<Omit<SessionRecord, 'id'>>;

export interface ChangeBatch {
  readonly number: number;
  readonly before: string | null;
}

export type ClearSiteData =
  'cache' | 'storage' | 'executionContexts' | 'clientHints' | 'prefetchCache' | 'prerenderCache';

export interface ClientInfo {
  readonly ip?: string | null;
  readonly userAgent?: string | null;
  readonly label?: string | null;
}

export interface ClusterOptions {
  bus?: 'postgres' | 'table' | SessionBus;
  cache?: boolean | NearCacheOptions;
  directUrl?: string;
}

export interface CookieAnswer {
  readonly session: PublicSession;
}

export interface CookieOptions {
  name?: string;
  sameSite?: 'strict' | 'lax' | 'none';
  clearSiteData?: readonly ClearSiteData[] | false;
}

export declare class CrossOriginException extends Forbidden {
  constructor();
}

export declare function CurrentSession<
  Selected extends Exclude<keyof ActiveSession, 'toJSON'> | undefined = undefined,
>(property?: Selected): SessionParameterDecorator<Selected>;

export type Duration = number | `${number}${Unit}` | `${number} ${Unit}`;

export declare function EndSession(options?: EndSessionOptions): MethodDecorator;

export interface EndSessionOptions {
  transport?: Transport;
  crossOrigin?: boolean;
}

export type EndedSession = Pick<
  SessionRecord,
  'id' | 'userId' | 'roles' | 'authenticatedAt' | 'lastSeenAt' | 'expiresAt' | 'ip' | 'userAgent' | 'label'
>;

export declare function EnsureSession(options?: EnsureSessionOptions): MethodDecorator;

export interface EnsureSessionOptions {
  transport?: Transport;
}

export type EventOrigin = 'own' | 'other';

export type Expected = Partial<
  Pick<
    SessionRecord,
    'tokenHash' | 'confirmedAt' | 'unshown' | 'ignoredFrom' | 'dataVersion' | 'roles' | 'authenticatedAt'
  >
>;

export type ExpectedOwner = Expected & Pick<SessionRecord, 'userId'>;

export interface GuessingOptions {
  attempts?: number;
  within?: Duration;
  refuse?: boolean;
}

export interface HttpsOptions {
  developmentHosts?: readonly string[];
}

export declare class HttpsRequiredException extends Forbidden {
  constructor();
}

export declare class InvalidSessionArgumentException extends InvalidSessionArgumentException_base {}

export interface IssuedSession<S = ActiveSession> {
  readonly session: S;
  readonly token: string;
}

export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

export interface ListOptions {
  readonly limit?: number;
  readonly before?: string;
}

export interface NearCacheOptions {
  maxBytes?: number;
}

export interface NearCacheStatement {
  readonly maxAge: number;
  readonly promise: string;
}

export declare function OptionalSession(): ClassDecorator & MethodDecorator;
export type OptionalSession = ActiveSession | AnonymousSession | null;

export declare function Public(): ClassDecorator & MethodDecorator;

export interface PublicSession {
  readonly id: string;
  readonly userId: string | null;
  readonly roles: readonly Role[];
  readonly level: AuthenticationLevel | null;
  readonly createdAt: Date;
  readonly authenticatedAt: Date | null;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  readonly client: SessionClient;
}

export interface PurgeOptions {
  every?: Duration;
  batchSize?: number;
}

export interface ReadonlyJsonObject {
  readonly [key: string]: ReadonlyJsonValue | undefined;
}

export type ReadonlyJsonValue =
  string | number | boolean | null | readonly ReadonlyJsonValue[] | ReadonlyJsonObject;

export type ReadonlySessionData = SessionTypes extends {
  data: infer D extends object;
}
  ? DeepReadonly<D>
  : ReadonlyJsonObject;

export declare class ReauthenticationRequiredException extends Unauthorized {
  constructor(required: { maxAge?: number; level?: number });
}

export interface RedisBusClients {
  readonly publisher: RedisPublisher;
  readonly subscriber: RedisSubscriber;
}

export interface RedisPublisher {
  publish(channel: string, message: string): Promise<unknown>;
}

export interface RedisSubscriber {
  subscribe(...args: any[]): unknown;
  on(event: string, listener: (...args: any[]) => void): unknown;
}

export type RefusalCode =
  | 'session_required'
  | 'session_invalid'
  | 'session_expired'
  | 'role_required'
  | 'reauthentication_required'
  | 'https_required'
  | 'cross_origin'
  | 'session_limit'
  | 'too_many_guesses'
  | 'session_store_unavailable';

export type RefusalReason = 'malformed' | 'unknown' | 'expired' | 'rotated' | 'reused';

export type Requester = Pick<SessionClient, 'ip' | 'userAgent'>;

export declare function RequireLevel(level: AuthenticationLevel): ClassDecorator & MethodDecorator;

export declare function RequireRecentAuth(within: Duration): ClassDecorator & MethodDecorator;

export declare function RequireRole(...anyOf: [Role, ...Role[]]): ClassDecorator & MethodDecorator;

export declare function RequireSession(): ClassDecorator & MethodDecorator;

export interface ReuseJudgement {
  readonly id: string;
  readonly seriesHash: string;
  readonly shownHash: string;
  readonly unshown: string | null;
  readonly settledBy: number;
}

export type RevocationReason = 'sign-out' | 'revoked' | 'replaced' | 'limit' | 'reuse';

export interface RevokeAllOptions {
  readonly except?: string;
  readonly by?: Actor;
}

export interface RevokeEveryoneOptions {
  readonly createdBefore?: Date;
  readonly by?: Actor;
}

export interface RevokeOptions {
  readonly userId?: string;
  readonly by?: Actor;
}

export type Role = SessionTypes extends {
  role: infer R extends string;
}
  ? R
  : string;

export interface RoleOptions {
  includes?: readonly Role[];
  securityLevel?: SecurityLevel;
  timeouts?: TimeoutOptions;
}

export declare class RoleRequiredException extends Forbidden {
  constructor();
}

export interface RoleStatement {
  readonly role: string;
  readonly includes: readonly string[];
  readonly lifetime: SessionLifetime;
}

export interface RolesChange {
  readonly roles: string;
  readonly idle: number;
  readonly absolute: number;
  readonly now: number;
}

export interface SecretOptions {
  keys: readonly string[];
  acceptUnkeyed?: boolean;
}

export type SecurityLevel = 'low' | 'medium' | 'high';

export declare class SessionAnswer {
  with(
    response: SessionResponse,
    issued: IssuedSession<ActiveSession | AnonymousSession>,
  ): BearerAnswer | CookieAnswer;
}

export declare abstract class SessionBus {
  readonly maxMessageBytes: number;
  abstract subscribe(channel: string, hear: (message: string) => void): Promise<void>;
  abstract publish(channel: string, message: string): Promise<void>;
  abstract close(): Promise<void>;
}

export interface SessionClient {
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly label: string | null;
}

export declare class SessionCookie {
  read(request: SessionRequest): string | null;
  set(response: SessionResponse, token: string): void;
  headersFor(response: SessionResponse, token: string): FinalHeaders;
  clear(response: SessionResponse): void;
  nameOn(channel: Channel): string;
}

export type SessionData = SessionTypes extends {
  data: infer D extends object;
}
  ? D
  : JsonObject;

export declare class SessionDecoratorError extends Error {
  readonly name = 'SessionDecoratorError';
}

export declare class SessionEntity extends BaseSessionEntity {}

export type SessionEvent = SessionEventDetail &
  EventSubjects & {
    readonly at: Date;
    readonly origin: EventOrigin;
  };

export declare abstract class SessionException extends HttpException {
  readonly code: RefusalCode | 'sign_in_failed' | 'invalid_argument';
  readonly headers: Readonly<Record<string, string>>;
  static [Symbol.hasInstance](value: unknown): boolean;
}

export declare class SessionExpiredException extends Unauthorized {
  constructor();
}

export declare class SessionGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean | Promise<boolean>;
}

export declare class SessionInvalidException extends Unauthorized {
  constructor(message?: string, cause?: unknown);
}

export interface SessionLifetime {
  readonly securityLevel: SecurityLevel;
  readonly idle: TimeoutStatement;
  readonly absolute: TimeoutStatement;
  readonly renewal: number;
  readonly reason: string | null;
}

export declare class SessionLimitException extends SessionLimitException_base {
  constructor(cause?: unknown);
}

export declare class SessionMessageEntity extends SessionMessageEntity_base {}

export declare class SessionModule extends ConfigurableModuleClass {
  static forRoot(options?: typeof OPTIONS_TYPE): DynamicModule;
}

export interface SessionModuleOptions {
  securityLevel?: SecurityLevel;
  timeouts?: TimeoutOptions;
  roles?: {
    readonly [role in Role]?: readonly Role[] | RoleOptions;
  };
  maxSessionsPerUser?: number;
  onSessionLimit?: 'evict-oldest' | 'reject';
  onReuse?: 'revoke' | 'report';
  transport?: Transport;
  cookie?: CookieOptions;
  trustedOrigins?: readonly string[];
  requireHttps?: boolean | HttpsOptions;
  secret?: string | readonly string[] | SecretOptions;
  grace?: Duration;
  purge?: PurgeOptions | false;
  recheckEvery?: Duration;
  touchEvery?: Duration;
  recordClient?: boolean;
  maxDataBytes?: number;
  guessing?: GuessingOptions | false;
  schemaCheck?: boolean;
  audit?: AuditSink | false;
  cluster?: ClusterOptions | false;
  clock?: () => number;
}

export interface SessionModuleStaticOptions {
  dataSource?: string;
  entity?: Type<BaseSessionEntity>;
  store?: Type<SessionStore>;
  isGlobal?: boolean;
  globalGuard?: boolean;
}

export declare class SessionNodeEntity extends SessionNodeEntity_base {}

export declare class SessionOptionsError extends Error {
  readonly option: string;
  readonly value: unknown;
  readonly fix: string;
  readonly name = 'SessionOptionsError';
  constructor(option: string, value: unknown, fix: string);
}

export interface SessionPage {
  readonly limit: number;
  readonly before: string | null;
}

export type SessionParameterDecorator<Selected extends SessionProperty | undefined = undefined> = <
  Target extends object,
  Name extends string | symbol | undefined,
  Index extends number,
>(
  target: Target &
    (Name extends keyof Target
      ? [Overlap<CurrentValue<Selected>, ParameterAt<Target[Name], Index>>] extends [never]
        ? Misfit<Selected>
        : unknown
      : unknown),
  name: Name,
  index: Index,
) => void;

export interface SessionPolicyDocument {
  readonly lifetime: SessionLifetime;
  readonly roles: readonly RoleStatement[];
  readonly parallelSessions: {
    readonly perUser: number | null;
    readonly atTheLimit: 'evict-oldest' | 'reject';
  };
  readonly onReuse: 'revoke' | 'report';
  readonly requireHttps: boolean;
  readonly nearCache: NearCacheStatement | null;
}

export interface SessionPrincipal {
  readonly userId: string;
  readonly roles?: readonly Role[];
  readonly level?: AuthenticationLevel;
  readonly data?: ReadonlySessionData;
}

export interface SessionRecord {
  readonly id: string;
  readonly seriesHash: string;
  readonly tokenHash: string;
  readonly confirmedAt: number | null;
  readonly rotatedAt: number;
  readonly previousHash: string | null;
  readonly previousKind: 'renewal' | 'rotation' | null;
  readonly successor: string | null;
  readonly unshown: string | null;
  readonly ignoredFrom: number | null;
  readonly userId: string | null;
  readonly roles: string;
  readonly createdAt: number;
  readonly authenticatedAt: number;
  readonly level2At: number | null;
  readonly level3At: number | null;
  readonly lastSeenAt: number;
  readonly idleExpiresAt: number;
  readonly absoluteExpiresAt: number;
  readonly renewAt: number;
  readonly expiresAt: number;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly label: string | null;
  readonly data: string;
  readonly dataVersion: number;
}

export declare class SessionRequiredException extends Unauthorized {
  constructor(message?: string);
}

export declare class SessionSchemaError extends Error {
  readonly name = 'SessionSchemaError';
}

export declare class SessionService {
  readonly events: Observable<SessionEvent>;
  beginSignIn(): Promise<BegunSignIn>;
  create(principal: SessionPrincipal, client?: ClientInfo, options?: SignInOptions): Promise<IssuedSession>;
  createAnonymous(data?: ReadonlySessionData, client?: ClientInfo): Promise<IssuedSession<AnonymousSession>>;
  authenticate(id: string, principal: SessionPrincipal, options?: SignInOptions): Promise<IssuedSession>;
  validate(token: string): Promise<SessionVerdict>;
  rotate(id: string): Promise<IssuedSession>;
  get(id: string): Promise<ActiveSession | AnonymousSession | null>;
  list(userId: string, options?: ListOptions): Promise<ActiveSession[]>;
  update(id: string, change: DataChange): Promise<SessionData | null>;
  setRoles(userId: string, roles: Role[], by?: Actor): Promise<number>;
  revoke(id: string, options?: RevokeOptions): Promise<boolean>;
  revokeAll(userId: string, options?: RevokeAllOptions): Promise<number>;
  revokeEveryone(options?: RevokeEveryoneOptions): Promise<number>;
  purgeExpired(signal?: AbortSignal): Promise<number>;
  estimateLive(): Promise<number | null>;
  policy(): SessionPolicyDocument;
}

export declare abstract class SessionStore {
  abstract findBySeries(seriesHash: string): Promise<SessionRecord | null>;
  abstract findByAnySeries(seriesHashes: readonly string[]): Promise<SessionRecord | null>;
  abstract findById(id: string): Promise<SessionRecord | null>;
  findMany(ids: readonly string[]): Promise<SessionRecord[]>;
  abstract latestChange(): Promise<number>;
  abstract findLive(userId: string, now: number, page: SessionPage): Promise<SessionRecord[]>;
  abstract insert(record: SessionRecord, admission: Admission | null): Promise<Admitted>;
  abstract admit(
    id: string,
    expected: ExpectedOwner,
    change: Change,
    admission: Admission,
  ): Promise<Admitted>;
  abstract change(id: string, expected: Expected, change: Change): Promise<boolean>;
  abstract touch(touch: Touch, durably: boolean): Promise<void>;
  abstract flush(): Promise<void>;
  abstract mark(userId: string | null): Promise<number>;
  abstract setRoles(userId: string, change: RolesChange, batch: ChangeBatch): Promise<BatchDone<number>>;
  abstract delete(id: string, userId?: string): Promise<SessionRecord | null>;
  abstract deleteExpected(id: string, expected: Expected): Promise<boolean>;
  abstract deleteReused(judgement: ReuseJudgement): Promise<boolean>;
  abstract deleteByUser(
    userId: string,
    except: string | null,
    batch: ChangeBatch,
  ): Promise<BatchDone<readonly EndedSession[]>>;
  abstract deleteAll(createdBefore: number | null, batch: ChangeBatch): Promise<BatchDone<number>>;
  abstract purgeExpired(now: number, signal?: AbortSignal): Promise<number>;
  clockSkew(): Promise<number>;
  countLive(_below: string, _now: number): Promise<number | null>;
}

export declare class SessionStoreUnavailableException extends SessionStoreUnavailableException_base {
  constructor(cause?: unknown);
}

export interface SessionTypes {}

export declare class SessionUserEntity extends SessionUserEntity_base {}

export type SessionVerdict =
  | {
      readonly session: ActiveSession | AnonymousSession;
      readonly reason?: undefined;
    }
  | {
      readonly session: null;
      readonly reason: RefusalReason;
    };

export type SignInAnswerPart = object & {
  readonly token?: never;
  readonly expiresAt?: never;
  readonly session?: never;
};

export type SignInDecorator<Returned extends SessionPrincipal = SessionPrincipal> = <
  Handler extends (...args: never[]) => unknown,
>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Handler> &
    (Handler extends SignInHandler<Returned> ? Misnamed<Handler> : NoSignIn<Handler, Returned>),
) => void;

export declare class SignInFailedException extends Unauthorized {
  constructor(message?: string);
}

export type SignInHandler<Returned extends SessionPrincipal = SessionPrincipal> = HandlerOf<
  Returned | null | undefined
>;

export interface SignInOptions {
  readonly begun?: BegunSignIn;
}

export declare function StartSession<Returned extends SessionPrincipal = SessionPrincipal>(
  options?: StartSessionOptions<Returned>,
): SignInDecorator<Returned>;

export interface StartSessionOptions<Returned extends SessionPrincipal = never> {
  transport?: Transport;
  crossOrigin?: boolean;
  name?: (request: never) => string | null | undefined;
  label?: (request: never) => string | null | undefined;
  answer?: (returned: Returned) => SignInAnswerPart;
}

export declare class StoreRejectedError extends Error {
  readonly name = 'StoreRejectedError';
}

export interface TimeoutOptions {
  idle?: Duration;
  absolute?: Duration;
  renewal?: Duration;
  reason?: string;
}

export interface TimeoutStatement {
  readonly value: number;
  readonly standard: number;
  readonly source: string;
  readonly isWithinStandard: boolean;
}

export declare class TooManyGuessesException extends TooManyGuessesException_base {
  constructor(retryAfter: number);
}

export type Touch = Pick<
  SessionRecord,
  'id' | 'lastSeenAt' | 'idleExpiresAt' | 'expiresAt' | 'roles' | 'authenticatedAt'
>;

export type Transport = 'bearer' | 'cookie';

export declare function redisBus(clients: RedisBusClients): SessionBus;

export declare const sessionEntities: readonly [
  typeof SessionEntity,
  typeof SessionUserEntity,
  typeof SessionNodeEntity,
  typeof SessionMessageEntity,
];

export declare function sessionOf(source: object): ActiveSession | AnonymousSession | null;

// Not exported, but named by what is.

type Attempt = 'sign-in' | 'change' | 'mark' | 'roles' | 'revocation' | 'announcement';

declare const BaseSessionEntity_base: new () => StoredRecord;

type Channel = 'secure' | 'development' | 'plain';

interface Classification {
  readonly level: AuditLevel;
  readonly vocabulary: string | null;
}

declare const ConfigurableModuleClass: import('@nestjs/common').ConfigurableModuleCls<
  SessionModuleOptions,
  'forRoot',
  'createSessionOptions',
  SessionModuleStaticOptions
>;

type CurrentValue<Selected extends SessionProperty | undefined> = Selected extends 'data'
  ? DataValue
  : Selected extends SessionProperty
    ? ActiveSession[Selected] | AnonymousSession[Selected]
    : ActiveSession | AnonymousSession;

type DataChange = (data: SessionData) => ReadonlySessionData;

type DataValue = string extends keyof SessionData ? unknown : ReadonlySessionData;

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? number extends T['length']
    ? readonly DeepReadonly<Item>[]
    : {
        readonly [Index in keyof T]: DeepReadonly<T[Index]>;
      }
  : T extends object
    ? {
        readonly [Key in keyof T]: DeepReadonly<T[Key]>;
      }
    : T;

interface EventSubjects {
  readonly sessionId: string | null;
  readonly userId: string | null;
  readonly client: SessionClient | null;
}

interface FinalHeaders {
  readonly headers: Readonly<Record<string, string>>;
  readonly setCookie?: string;
}

declare const Forbidden: Refusal<ForbiddenException>;

type HandlerOf<Outcome> = (...args: never[]) => Outcome | Promise<Outcome> | Observable<Outcome>;

interface Head<T> {
  readonly event: T;
  readonly at: string;
}

declare const InvalidSessionArgumentException_base: Refusal<BadRequestException>;

type Misfit<Selected extends SessionProperty | undefined> =
  `@CurrentSession(${Selected extends string ? `'${Selected}'` : ''}) gives another type than that of this parameter.`;

type Misnamed<Handler> =
  Handler extends HandlerOf<
    | {
        roles: unknown;
      }
    | null
    | undefined
  >
    ? unknown
    : Handler extends HandlerOf<
          | {
              role: unknown;
            }
          | null
          | undefined
        >
      ? 'A principal has `roles`, which is a list, and no `role`.'
      : unknown;

type NoSignIn<Handler, Returned extends SessionPrincipal> =
  Handler extends HandlerOf<
    | {
        userId: unknown;
      }
    | null
    | undefined
  >
    ? TypedPropertyDescriptor<SignInHandler<Returned>>
    : 'A handler with @StartSession() returns { userId, roles?, level?, data? }, or null when the credentials are wrong.';

declare const OPTIONS_TYPE: SessionModuleOptions & Partial<SessionModuleStaticOptions>;

type Overlap<Value, Parameter> = Extract<Value, Parameter> | Extract<Parameter, Value>;

type ParameterAt<Method, Index extends number> = Method extends (...args: infer Parameters) => unknown
  ? Parameters[Index]
  : unknown;

type Refusal<Exception> = abstract new (
  code: SessionException['code'],
  message: string,
  headers?: SessionException['headers'],
  cause?: unknown,
) => Exception & SessionException;

type SessionEventDetail =
  | {
      readonly type: 'created';
    }
  | {
      readonly type: 'authenticated';
    }
  | {
      readonly type: 'renewed';
    }
  | {
      readonly type: 'rotated';
    }
  | {
      readonly type: 'updated';
    }
  | {
      readonly type: 'roles-changed';
      readonly roles: readonly string[];
      readonly count: number;
      readonly by?: Actor;
    }
  | {
      readonly type: 'revoked';
      readonly reason: RevocationReason;
      readonly sessionIds: readonly string[];
      readonly count?: number;
      readonly createdBefore?: string;
      readonly by?: Actor;
    }
  | {
      readonly type: 'outcome-unknown';
      readonly attempt: Attempt;
    }
  | {
      readonly type: 'expired';
    }
  | {
      readonly type: 'purged';
      readonly count: number;
    }
  | {
      readonly type: 'reuse-detected';
    }
  | {
      readonly type: 'renewal-ignored';
    }
  | {
      readonly type: 'guessing-suspected';
      readonly attempts: number;
      readonly requester: Requester;
    }
  | {
      readonly type: 'sign-in-failed';
      readonly name: string | null;
      readonly requester: Requester;
    }
  | {
      readonly type: 'refused';
      readonly code: RefusalCode;
      readonly requester: Requester;
    };

declare const SessionLimitException_base: Refusal<ConflictException>;

declare const SessionMessageEntity_base: new () => TableMessage;

declare const SessionNodeEntity_base: new () => SessionNodeRow;

interface SessionNodeRow {
  readonly nodeId: string;
  readonly evicted: number;
  readonly server: string;
  readonly lease: number;
}

type SessionProperty = Exclude<keyof ActiveSession, 'toJSON'>;

interface SessionRequest {
  readonly headers: IncomingHttpHeaders;
  readonly method: string;
  readonly protocol: string;
  readonly host?: string | undefined;
  readonly ip?: string | undefined;
  readonly socket: Socket;
  readonly httpVersion?: string;
  readonly raw?: IncomingMessage;
  readonly rawHeaders?: readonly string[];
}

type SessionResponse =
  | ServerResponse
  | {
      readonly raw: ServerResponse;
      readonly request: SessionRequest;
    };

declare const SessionStoreUnavailableException_base: Refusal<ServiceUnavailableException>;

declare const SessionUserEntity_base: new () => SessionUserRow;

interface SessionUserRow {
  readonly userHash: string;
  readonly number: number;
  readonly turns: number;
}

interface StoreFields {
  readonly purgeAfter: number;
  readonly rolesSet: number;
  readonly begun: number;
  readonly turn: number;
}

type StoredRecord = SessionRecord & StoreFields;

interface TableMessage {
  readonly id: string;
  readonly channel: string;
  readonly message: string;
}

declare const TooManyGuessesException_base: Refusal<HttpException>;

declare const Unauthorized: Refusal<UnauthorizedException>;

type Unit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w';
