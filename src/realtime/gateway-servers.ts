import { Injectable, Logger, type OnModuleInit, type WebSocketAdapter } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { SessionDecoratorError } from '../core/model/errors.js';
import type { GatewayPlace } from '../http/handler-metadata.js';
import { needsSession, type Requirement } from '../http/requirement.js';
import { ANYBODY_SIGNED_IN, type EntryRule } from './entry.js';
import { Gateways } from './gateways.js';
import { isIoNamespace, isIoServer } from './socket-io-types.js';
import { SocketIoServers } from './socket-io-servers.js';
import { isWsServer, WsServers } from './ws-servers.js';

/**
 * Sees every server that Nest has made for gateways, before anybody can connect: whichever the adapter is, also the default
 * one, it is given to the application, and asked to create them.
 */
@Injectable()
export class GatewayServers implements OnModuleInit {
  private readonly logger = new Logger('SessionSockets');
  private hasServers = false;

  /** In the constructor, as Nest asks for servers before any `onModuleInit`. */
  constructor(
    config: ApplicationConfig,
    private readonly gateways: Gateways,
    private readonly ws: WsServers,
    private readonly socketIo: SocketIoServers,
  ) {
    if (gateways.all.length === 0) return;
    const set = config.setIoAdapter.bind(config);
    config.setIoAdapter = (adapter) => set(this.watched(adapter));
    const given: WebSocketAdapter | null = config.getIoAdapter();
    if (given !== null) this.watched(given);
  }

  onModuleInit(): void {
    if (this.gateways.all.length === 0 || this.hasServers) return;
    this.logger.log('No server of a gateway is known: what is not @Public() is refused there.');
  }

  /** Of this very adapter: what is changed on its class would outlive the application. */
  private watched(adapter: WebSocketAdapter): WebSocketAdapter {
    const create = adapter.create.bind(adapter) as (port: number, options?: object) => unknown;
    adapter.create = (port: number, options?: Partial<GatewayPlace>) => {
      const server = create(port, options);
      this.guard(server, { port, path: options?.path, namespace: options?.namespace });
      return server;
    };
    return adapter;
  }

  private guard(server: unknown, place: GatewayPlace): void {
    if (typeof server !== 'object' || server === null) return this.assertOpen(place);
    const entry: EntryRule = () => {
      const asked = this.gateways.askedAt(place);
      return asked.length > 0 ? asked : ANYBODY_SIGNED_IN();
    };
    if (isWsServer(server)) this.ws.guard(server, entry);
    else if (isIoServer(server) || isIoNamespace(server)) this.socketIo.guard(server, entry);
    else return this.assertOpen(place);
    this.hasServers = true;
  }

  /** Who connects to a server that is not known here is not looked at. */
  private assertOpen(place: GatewayPlace): void {
    const asked = this.gateways.askedAt(place);
    if (asked.length > 0 && asked.every(needsSession)) {
      const [{ handler }] = asked as [Requirement];
      throw new SessionDecoratorError(
        `The gateway of ${handler} has a server of a kind that is not known here, which would let everybody connect. ${KNOWN} ` +
          'Where strangers may connect, put @Public() on the gateway or on one of its messages.',
      );
    }
    this.logger.warn(
      `A gateway has a server of a kind that is not known here: everybody can connect, and what needs a session is refused. ${KNOWN}`,
    );
  }
}

const KNOWN = 'Known are those of @nestjs/platform-ws and @nestjs/platform-socket.io.';
