import { isPrivateAddress } from '../core/model/private-network.js';
import { PROXY_HEADER, quote } from './loopback.js';
import type { SessionRequest } from './exchange.js';

/**
 * Plain HTTP from a telephone, an emulator, a container or through the proxy of a front end's development server, to
 * hosts that the developer has named. It is meant to be left in the configuration: should NODE_ENV be `development` on a
 * server by mistake, it lets nobody in who comes from the internet, directly or through a proxy that says whom it serves.
 *
 * The Host is compared with names that nobody can own on the internet: a page that has its own name lead here (DNS
 * rebinding) sends that name.
 *
 * @returns what speaks against a request, or `null`
 */
export function objectionInDevelopment(
  { headers, socket, raw, httpVersion }: SessionRequest,
  hosts: ReadonlySet<string>,
): string | null {
  const peer = socket.remoteAddress ?? '';
  const host = headers.host ?? String(headers[':authority'] ?? '');
  const version = raw?.httpVersion ?? httpVersion;
  if (!isPrivateAddress(peer)) return `it came from ${quote(peer)}, which is no address of a local network`;
  if (!hosts.has(nameIn(host))) return `its Host is ${quote(host)}, which is not in \`developmentHosts\``;
  if (!(Number(version) >= 1.1)) return `it is HTTP/${version ?? '?'}, as some proxies speak it`;
  const names = Object.keys(headers).filter((name) => PROXY_HEADER.test(name));
  // A development server that names itself names its client too; of a proxy that does not, nobody knows whom it serves.
  if (names.length > 0 && !names.includes('x-forwarded-for')) {
    return `it has the header ${quote(names[0] ?? '')} and no \`x-forwarded-for\``;
  }
  const odd = names.find((name) => !allOf(headers[name], HARMLESS[name] ?? (() => false), hosts));
  return odd === undefined ? null : `it has the header ${quote(odd)}, as of a proxy that serves others`;
}

type Check = (value: string, hosts: ReadonlySet<string>) => boolean;

/** What development servers add, and what they say in it. */
const HARMLESS: Readonly<Record<string, Check>> = {
  'x-forwarded-for': isPrivateAddress,
  'x-forwarded-host': (value, hosts) => hosts.has(nameIn(value)),
  'x-forwarded-port': () => true,
  'x-forwarded-proto': (value) => value === 'http',
};

function allOf(header: string | string[] | undefined, check: Check, hosts: ReadonlySet<string>): boolean {
  return String(header)
    .split(',')
    .every((value) => check(value.trim(), hosts));
}

/** Without the port, and without the brackets of IPv6. */
function nameIn(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}
