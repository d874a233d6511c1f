import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage } from 'node:http';
import { SessionCore } from '../core/session-core.js';
import type { SessionRequest } from './exchange.js';

const ARRIVAL = Symbol('nestjs-sessions:arrival');

/** What a request was like when it arrived. */
interface Arrival {
  readonly at: number;
  readonly method: string | undefined;
}

type Stamped = { [ARRIVAL]?: Arrival };

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
      (request as Stamped)[ARRIVAL] = { at: this.core.options.clock(), method: request.method };
    });
  }

  /** Epoch milliseconds; now, where the server did not tell of the request. */
  of(request: SessionRequest): number {
    return arrivalOf(request)?.at ?? this.core.options.clock();
  }
}

/** The method that came over the wire, whatever the request says now. */
export function wireMethodOf(request: SessionRequest): string {
  return arrivalOf(request)?.method ?? request.method;
}

function arrivalOf(request: SessionRequest): Arrival | undefined {
  return ((request.raw ?? request) as Stamped)[ARRIVAL];
}

interface Emitter {
  prependListener(event: string, listener: (request: IncomingMessage) => void): unknown;
}

function isEmitter(value: unknown): value is Emitter {
  return typeof value === 'object' && value !== null && 'prependListener' in value;
}
