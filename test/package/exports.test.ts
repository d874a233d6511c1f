import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
/** The source file of each entry point. */
const entryPoints = new Map(
  Object.entries(manifest.exports).flatMap(([name, target]) =>
    typeof target === 'string' ? [] : [[name, toSource(target.types)]],
  ),
);
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile('tsconfig.json', ts.sys.readFile).config,
  ts.sys,
  '.',
);
const program = ts.createProgram([...entryPoints.values()], options);
const checker = program.getTypeChecker();

function toSource(declarations: string): string {
  return resolve(declarations.replace('./dist/', 'src/').replace(/\.d\.ts$/, '.ts'));
}

/** What an entry point exports, by the compiler: `class SessionService`, `type Duration`. */
function exportsOf(entryPoint: string): string[] {
  const file = program.getSourceFile(entryPoints.get(entryPoint) ?? '');
  const module = file && checker.getSymbolAtLocation(file);
  if (module === undefined) throw new Error(`${entryPoint} is not in package.json, or no module.`);
  return checker
    .getExportsOfModule(module)
    .map((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const isTypeOnly = symbol.declarations?.some(ts.isTypeOnlyImportOrExportDeclaration) ?? false;
      return `${isTypeOnly ? 'type' : kindOf(target)} ${symbol.name}`;
    })
    .toSorted();
}

function kindOf({ flags }: ts.Symbol): string {
  if (flags & ts.SymbolFlags.Class) return 'class';
  if (flags & ts.SymbolFlags.Function) return 'function';
  return flags & ts.SymbolFlags.Variable ? 'const' : 'type';
}

describe('the public surface', () => {
  it('has these entry points', () => {
    expect(Object.keys(manifest.exports)).toMatchInlineSnapshot(`
      [
        ".",
        "./migrations",
        "./testing",
        "./client",
        "./openapi",
        "./opentelemetry",
        "./terminus",
        "./cls",
        "./package.json",
      ]
    `);
  });

  it('of nestjs-sessions', () => {
    expect(exportsOf('.')).toMatchInlineSnapshot(`
      [
        "class ActiveSession",
        "class AnonymousSession",
        "class BaseSessionEntity",
        "class BeginSignIn",
        "class CrossOriginException",
        "class HttpsRequiredException",
        "class InvalidSessionArgumentException",
        "class ReauthenticationRequiredException",
        "class RoleRequiredException",
        "class SessionAnswer",
        "class SessionBus",
        "class SessionCookie",
        "class SessionDecoratorError",
        "class SessionEntity",
        "class SessionException",
        "class SessionExpiredException",
        "class SessionGuard",
        "class SessionInvalidException",
        "class SessionLimitException",
        "class SessionMessageEntity",
        "class SessionModule",
        "class SessionNodeEntity",
        "class SessionOptionsError",
        "class SessionRequiredException",
        "class SessionSchemaError",
        "class SessionService",
        "class SessionStore",
        "class SessionStoreUnavailableException",
        "class SessionUserEntity",
        "class SignInFailedException",
        "class StoreRejectedError",
        "class TooManyGuessesException",
        "const BATCH_SIZE",
        "const sessionEntities",
        "function AllowAnonymous",
        "function Background",
        "function CurrentSession",
        "function EndSession",
        "function EnsureSession",
        "function OptionalSession",
        "function Public",
        "function RequireLevel",
        "function RequireRecentAuth",
        "function RequireRole",
        "function RequireSession",
        "function StartSession",
        "function redisBus",
        "function sessionOf",
        "type Actor",
        "type Admission",
        "type Admitted",
        "type AuditEntry",
        "type AuditLevel",
        "type AuditSink",
        "type AuthenticationLevel",
        "type BatchDone",
        "type BearerAnswer",
        "type BegunSignIn",
        "type Change",
        "type ChangeBatch",
        "type ClearSiteData",
        "type ClientInfo",
        "type ClusterOptions",
        "type CookieAnswer",
        "type CookieOptions",
        "type Duration",
        "type EndSessionOptions",
        "type EndedSession",
        "type EnsureSessionOptions",
        "type EventOrigin",
        "type Expected",
        "type ExpectedOwner",
        "type GuessingOptions",
        "type HttpsOptions",
        "type IssuedSession",
        "type JsonObject",
        "type JsonValue",
        "type ListOptions",
        "type NearCacheOptions",
        "type NearCacheStatement",
        "type PublicSession",
        "type PurgeOptions",
        "type ReadonlyJsonObject",
        "type ReadonlyJsonValue",
        "type ReadonlySessionData",
        "type RedisBusClients",
        "type RedisPublisher",
        "type RedisSubscriber",
        "type RefusalCode",
        "type RefusalReason",
        "type Requester",
        "type ReuseJudgement",
        "type RevocationReason",
        "type RevokeAllOptions",
        "type RevokeEveryoneOptions",
        "type RevokeOptions",
        "type Role",
        "type RoleOptions",
        "type RoleStatement",
        "type RolesChange",
        "type SecretOptions",
        "type SecurityLevel",
        "type SessionClient",
        "type SessionData",
        "type SessionEvent",
        "type SessionLifetime",
        "type SessionModuleOptions",
        "type SessionModuleStaticOptions",
        "type SessionPage",
        "type SessionParameterDecorator",
        "type SessionPolicyDocument",
        "type SessionPrincipal",
        "type SessionRecord",
        "type SessionTypes",
        "type SessionVerdict",
        "type SignInAnswerPart",
        "type SignInDecorator",
        "type SignInHandler",
        "type SignInOptions",
        "type StartSessionOptions",
        "type TimeoutOptions",
        "type TimeoutStatement",
        "type Touch",
        "type Transport",
      ]
    `);
  });

  it('of nestjs-sessions/migrations', () => {
    expect(exportsOf('./migrations')).toMatchInlineSnapshot(`
      [
        "class CreateSessions1767225600000",
      ]
    `);
  });

  it('of nestjs-sessions/testing', () => {
    expect(exportsOf('./testing')).toMatchInlineSnapshot(`
      [
        "class InMemorySessionStore",
        "class TestClock",
        "function endOf",
        "function recordSessionEvents",
        "function sessionBusContract",
        "function sessionStoreContract",
        "function signInAs",
        "type BusUnderTest",
        "type SessionEventOf",
        "type SessionEventRecorder",
        "type SessionEventType",
        "type SignedIn",
        "type SocketUnderTest",
        "type StoreContractCase",
        "type StoreUnderTest",
      ]
    `);
  });

  it('of nestjs-sessions/client', () => {
    expect(exportsOf('./client')).toMatchInlineSnapshot(`
      [
        "class SessionClientError",
        "function createSessionClient",
        "type AnyFetch",
        "type EndReason",
        "type Fetch",
        "type SessionClient",
        "type SessionClientEvent",
        "type SessionClientListener",
        "type SessionClientOptions",
        "type SessionInfo",
        "type SocketCredentials",
        "type StepUpChallenge",
      ]
    `);
  });

  it('of nestjs-sessions/openapi', () => {
    expect(exportsOf('./openapi')).toMatchInlineSnapshot(`
      [
        "const SESSION_REFUSAL_SCHEMA",
        "function withSessions",
        "type OpenApiComponents",
      ]
    `);
  });

  it('of nestjs-sessions/opentelemetry, nestjs-sessions/terminus and nestjs-sessions/cls', () => {
    expect(['./opentelemetry', './terminus', './cls'].flatMap(exportsOf)).toMatchInlineSnapshot(`
      [
        "class LiveSessionsMetric",
        "class SessionMetrics",
        "class SessionSpanInterceptor",
        "class SessionHealthIndicator",
        "class ClsSession",
        "class SessionClsPlugin",
      ]
    `);
  });

  it.each([...entryPoints])('of %s is there when the program runs', async (name, source) => {
    const module = (await import(pathToFileURL(source).href)) as object;
    const values = exportsOf(name).filter((line) => !line.startsWith('type '));
    expect(Object.keys(module).toSorted()).toEqual(values.map((line) => line.split(' ')[1]).toSorted());
  });
});
