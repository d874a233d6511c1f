import { type DynamicModule, Logger, Module } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { SessionAudit } from './audit/session-audit.js';
import { ClusterLife } from './cluster/cluster-life.js';
import { SessionCluster } from './cluster/session-cluster.js';
import type { ResolvedSessionOptions } from './core/options/resolve-options.js';
import { type CoreReporter, SessionCore } from './core/session-core.js';
import { SessionStore } from './core/model/store.js';
import { Arrivals } from './http/arrivals.js';
import { ChannelRule } from './http/channel.js';
import { GuessWatch } from './http/guess-watch.js';
import { LiveConnections } from './http/live-connections.js';
import { assertNotUsedByHand } from './http/placement/global-guard.js';
import { MessageClosing } from './http/placement/message-closing.js';
import { NestEnhancers } from './http/placement/nest-enhancers.js';
import { OriginRule } from './http/origin-rule.js';
import { PlacementCheck } from './http/placement/placement-check.js';
import { ScopedHandlers } from './http/placement/scoped-handlers.js';
import { Refusals } from './http/refusals.js';
import { RequirementRegistry } from './http/requirement-registry.js';
import { SignInBeginnings } from './http/sign-in-beginnings.js';
import { SessionAnswer } from './http/session-answer.js';
import { SessionCookie } from './http/session-cookie.js';
import { SessionGuard } from './http/session.guard.js';
import { TokenChanges } from './http/token-changes.js';
import { TokenDelivery } from './http/token-delivery.js';
import { GatewayServers } from './realtime/gateway-servers.js';
import { Gateways } from './realtime/gateways.js';
import { GraphqlSockets } from './realtime/graphql-sockets.js';
import { Handshake } from './realtime/handshake.js';
import { OpenConnections } from './realtime/open-connections.js';
import { PlatformView } from './realtime/platform-view.js';
import { SeatWatch } from './realtime/seat-watch.js';
import { SocketIoServers } from './realtime/socket-io-servers.js';
import { SocketJudgement } from './realtime/socket-judgement.js';
import { SocketMessages } from './realtime/socket-messages.js';
import { SocketSeats } from './realtime/socket-seats.js';
import { Streams } from './realtime/streams.js';
import { Upgrades } from './realtime/upgrades.js';
import { WsServers } from './realtime/ws-servers.js';
import { ClockWatch } from './purge/clock-watch.js';
import { SessionPurge } from './purge/session-purge.js';
import {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  OPTIONS_TYPE,
  RESOLVED_OPTIONS,
  resolveModuleOptions,
} from './session.module-definition.js';
import { SessionService } from './session.service.js';

/** What the guard and the interceptors need in whichever module a decorator brings them to. */
const EDGE = [
  SessionCore,
  Arrivals,
  SignInBeginnings,
  ChannelRule,
  RequirementRegistry,
  SessionCookie,
  TokenChanges,
  TokenDelivery,
  GuessWatch,
  Refusals,
];

/** What ends with its session after the request that opened it. */
const REALTIME = [
  SeatWatch,
  PlatformView,
  Handshake,
  Gateways,
  SocketSeats,
  WsServers,
  SocketIoServers,
  GatewayServers,
  SocketJudgement,
  SocketMessages,
  GraphqlSockets,
  Upgrades,
  Streams,
  { provide: LiveConnections, useClass: OpenConnections },
];

/** Sessions for the whole application: `forRoot(options?)`, or `forRootAsync({ useFactory, … })`. */
@Module({
  providers: [
    { provide: RESOLVED_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: resolveModuleOptions },
    {
      provide: SessionCore,
      inject: [RESOLVED_OPTIONS, SessionStore, SessionCluster],
      useFactory: assembleCore,
    },
    {
      provide: ChannelRule,
      inject: [RESOLVED_OPTIONS],
      useFactory: ({ requireHttps }: ResolvedSessionOptions) => new ChannelRule(requireHttps),
    },
    OriginRule,
    Arrivals,
    SignInBeginnings,
    RequirementRegistry,
    SessionAnswer,
    SessionCookie,
    TokenChanges,
    TokenDelivery,
    GuessWatch,
    Refusals,
    ...REALTIME,
    SessionGuard,
    NestEnhancers,
    MessageClosing,
    ScopedHandlers,
    PlacementCheck,
    SessionPurge,
    ClusterLife,
    ClockWatch,
    SessionAudit,
    SessionService,
  ],
  exports: [SessionService, SessionAnswer, SessionGuard, ...EDGE],
})
export class SessionModule extends ConfigurableModuleClass {
  /**
   * @internal Nest makes it.
   * @throws Error where the application has two of it: each tells of its own events only, and guards by its own options
   * @throws SessionDecoratorError where `@UseGuards()` has its guard
   */
  constructor(modules: ModulesContainer) {
    super();
    const ours = [...modules.values()].filter(({ metatype }) => metatype === SessionModule);
    if (ours.length > 1) {
      throw new Error(
        'SessionModule.forRoot() or forRootAsync() is called more than once in this application. Call it once, in the ' +
          'root module: other modules inject SessionService without importing it, or import what that one call returned.',
      );
    }
    assertNotUsedByHand(modules);
  }

  /** Sessions with these options; all of them are optional. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}

function assembleCore(
  options: ResolvedSessionOptions,
  store: SessionStore,
  { node }: SessionCluster,
): SessionCore {
  const logger = new Logger('Sessions');
  const reporter: CoreReporter = {
    onOutage: (cause) =>
      logger.error(`The session store is unavailable; requests get 503. ${describe(cause)}`),
    onRecovery: () => logger.log('The session store is available again.'),
    onUnknownRoles: (roles) =>
      logger.warn(
        `There are sessions with roles that the option \`roles\` does not name: ${JSON.stringify(roles)}. ` +
          'Mend the name where sessions are started, or add it to the option.',
      ),
    onSubscriberError: (error) => logger.error(`A subscriber of session events failed. ${describe(error)}`),
  };
  return new SessionCore(options, store, reporter, node);
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
