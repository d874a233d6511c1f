import type { SessionRequest } from './exchange.js';

const LOOPBACK_ADDRESS = /^(?:::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/;
/** Names below `localhost` too: they lead to this machine (RFC 6761 §6.3). */
const LOOPBACK_HOST = /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
/** A proxy on the same machine makes every request look like loopback; these give it away. */
export const PROXY_HEADER =
  /^(?:forwarded|via|x-forwarded(?:-.*)?|x-real-ip|x-client-ip|x-cluster-client-ip|x-original-.*|x-scheme|x-url-scheme|front-end-https|true-client-ip|cf-.*)$/;

/** What speaks against a request being from this very machine, or `null`. */
export function objectionToLoopback(request: SessionRequest): string | null {
  const { headers, socket } = request;
  const peer = socket.remoteAddress ?? '';
  const host = headers.host ?? String(headers[':authority'] ?? '');
  const version = (request.raw ?? request).httpVersion;
  if (!LOOPBACK_ADDRESS.test(peer)) return `it came from ${quote(peer)}, which is not this machine`;
  if (!LOOPBACK_HOST.test(host)) return `its Host is ${quote(host)}, which is not this machine`;
  // nginx speaks 1.0 to what is behind it, and adds no header of its own, unless it is told otherwise; no browser does.
  if (!(Number(version) >= 1.1)) return `it is HTTP/${version ?? '?'}, as some proxies speak it`;
  for (const name in headers)
    if (PROXY_HEADER.test(name)) return `it has the header ${quote(name)}, as of a proxy`;
  return null;
}

/** What strangers have sent, as one short line of the log. */
export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
