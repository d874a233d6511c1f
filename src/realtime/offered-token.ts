import type { IncomingMessage } from 'node:http';
import { SessionInvalidException } from '../session.exceptions.js';

const HEADER = 'sec-websocket-protocol';
const PREFIX = 'bearer.';

const taken = new WeakMap<IncomingMessage, string>();

/**
 * Browsers let pages set no header on a handshake, but protocols: `new WebSocket(url, ['app', 'bearer.' + token])`. The
 * token is taken out of the request, so that no server chooses it as the protocol, and answers with it.
 *
 * @throws SessionInvalidException where there is more than one
 */
export function takeOfferedToken(request: IncomingMessage): string | undefined {
  const offered = request.headers[HEADER];
  if (offered === undefined || !offered.includes(PREFIX)) return taken.get(request);
  const tokens = protocolsIn(offered).filter(isToken);
  const rest = withoutTokens(offered);
  if (rest === '') delete request.headers[HEADER];
  else request.headers[HEADER] = rest;
  hideIn(request.rawHeaders);
  if (tokens.length > 1) throw new SessionInvalidException('The request shows more than one token.');
  const token = tokens[0]?.slice(PREFIX.length);
  if (token !== undefined) taken.set(request, token);
  return token;
}

function hideIn(rawHeaders: string[]): void {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === HEADER)
      rawHeaders[at + 1] = withoutTokens(rawHeaders[at + 1] ?? '');
  }
}

function withoutTokens(offered: string): string {
  return protocolsIn(offered)
    .filter((protocol) => !isToken(protocol))
    .join(', ');
}

function protocolsIn(offered: string): string[] {
  return offered
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');
}

function isToken(protocol: string): boolean {
  return protocol.startsWith(PREFIX);
}
