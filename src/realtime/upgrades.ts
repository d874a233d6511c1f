import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import { takeOfferedTokens } from './offered-token.js';

/** Takes tokens out of the protocols that a handshake offers before any server sees it. */
@Injectable()
export class Upgrades implements OnApplicationBootstrap {
  constructor(private readonly platform: HttpAdapterHost) {}

  /** Once the servers of gateways and of GraphQL listen: where nobody does, Node leaves a handshake to the routes. */
  onApplicationBootstrap(): void {
    const server = this.platform.httpAdapter?.getHttpServer() as Partial<Server> | undefined;
    if (server?.listenerCount?.('upgrade')) server.prependListener?.('upgrade', takeOfferedTokens);
  }
}
