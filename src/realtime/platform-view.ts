import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { SessionRequest } from '../http/exchange.js';

type FastifyRequest = new (
  id: string,
  params: object,
  raw: IncomingMessage,
  query: object,
  log: unknown,
  context: object,
) => SessionRequest;

/**
 * Handshakes go past the platform, and with it past what it knows of the proxies in front: `X-Forwarded-Proto` would not be
 * believed, or be believed of anybody. So they are looked at as the platform would look at them.
 */
@Injectable()
export class PlatformView {
  constructor(private readonly platform: HttpAdapterHost) {}

  of(request: IncomingMessage): SessionRequest {
    const adapter = this.platform.httpAdapter;
    const instance: unknown = adapter?.getInstance();
    if (adapter?.getType() === 'express') return expressView(instance, request) ?? bareView(request);
    if (adapter?.getType() === 'fastify') return fastifyView(instance, request) ?? bareView(request);
    return bareView(request);
  }
}

function expressView(app: unknown, request: IncomingMessage): SessionRequest | null {
  const { request: prototype } = app as { readonly request?: object };
  if (typeof prototype !== 'object') return null;
  const { headers, rawHeaders, socket, method, url, httpVersion } = request;
  const own = { headers, rawHeaders, socket, connection: socket, method, url, httpVersion };
  // Defined and not assigned: some of these have setters there that want a whole request.
  const properties = Object.entries(own).map(([name, value]) => [name, { value, enumerable: true }]);
  return Object.create(prototype, Object.fromEntries(properties) as PropertyDescriptorMap) as SessionRequest;
}

function fastifyView(instance: unknown, request: IncomingMessage): SessionRequest | null {
  const symbol = Object.getOwnPropertySymbols(instance).find(
    ({ description }) => description === 'fastify.Request',
  );
  const Request = symbol && (instance as Record<symbol, FastifyRequest | undefined>)[symbol];
  return typeof Request === 'function' ? new Request('handshake', {}, request, {}, null, {}) : null;
}

/** Of a platform that is not known: no proxy is trusted. */
function bareView(request: IncomingMessage): SessionRequest {
  const { headers, rawHeaders, socket, method = 'GET', httpVersion } = request;
  const isEncrypted = (socket as Partial<TLSSocket>).encrypted === true;
  return {
    headers,
    rawHeaders,
    socket,
    method,
    httpVersion,
    protocol: isEncrypted ? 'https' : 'http',
    host: headers.host,
    ip: socket.remoteAddress,
  };
}
