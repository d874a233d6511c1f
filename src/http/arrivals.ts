import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage } from 'node:http';
import { SessionCore } from '../core/session-core.js';
import { type SessionRequest, stampMethod } from './exchange.js';

const ARRIVAL = Symbol('nestjs-sessions:arrival');

type Stamped = { [ARRIVAL]?: number };

/**
 * When requests arrived: with their head. The guard sees them only once the body has been read, and on a bad line
 * that takes longer than the grace that a request in flight is given.
 */
@Injectable()
export class Arrivals implements OnModuleInit {
  constructor(
    private readonly platform: HttpAdapterHost,
    private readonly core: SessionCore,
  ) {}

  onModuleInit(): void {
    const server: unknown = this.platform.httpAdapter?.getHttpServer();
    if (!isEmitter(server)) return;
    server.prependListener('request', (request) => {
      (request as Stamped)[ARRIVAL] = this.core.order.arrival();
      stampMethod(request);
    });
  }

  /** Stamp of `ArrivalOrder`; now, where the server did not tell of the request. */
  of(request: SessionRequest): number {
    return ((request.raw ?? request) as Stamped)[ARRIVAL] ?? this.core.order.arrival();
  }
}

interface Emitter {
  prependListener(event: string, listener: (request: IncomingMessage) => void): unknown;
}

function isEmitter(value: unknown): value is Emitter {
  return typeof value === 'object' && value !== null && 'prependListener' in value;
}
