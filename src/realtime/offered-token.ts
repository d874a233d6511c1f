import type { IncomingMessage } from 'node:http';

const HEADER = 'sec-websocket-protocol';
const PREFIX = 'bearer.';

/** By the headers as they came over the wire, which all views of a request share. */
const taken = new WeakMap<readonly string[], readonly string[]>();

/**
 * Browsers let pages set no header on a handshake, but protocols: `new WebSocket(url, ['app', 'bearer.' + token])`. The
 * tokens are taken out of the request, so that no server chooses one as the protocol, and answers with it, or logs it.
 */
export function takeOfferedTokens({ headers, rawHeaders }: IncomingMessage): readonly string[] {
  const offered = headers[HEADER];
  if (offered === undefined || !offered.includes(PREFIX)) return taken.get(rawHeaders) ?? [];
  const tokens = protocolsIn(offered).filter(isToken);
  const rest = withoutTokens(offered);
  if (rest === '') delete headers[HEADER];
  else headers[HEADER] = rest;
  hideIn(rawHeaders);
  const texts = tokens.map((token) => token.slice(PREFIX.length));
  taken.set(rawHeaders, texts);
  return texts;
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
