import { isIPv4, isIPv6 } from 'node:net';

const BRACKETED = /^\[([^\]]*)\](?::\d+)?$/;
const IPV4_WITH_PORT = /^([\d.]+):\d+$/;
/** As `URL` spells an IPv4 address in IPv6. */
const MAPPED = /^::ffff:([\da-f]+):([\da-f]+)$/;

/**
 * An IP address in its one spelling (RFC 5952), as it is recorded and counted: proxies may add a port and brackets, and
 * hosts the name of their interface. With them one client would be many.
 *
 * @returns `null` for what is none
 */
export function toAddress(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  const bare = withoutPort(text.trim());
  if (isIPv4(bare)) return bare;
  if (!isIPv6(bare)) return null;
  const [address] = bare.split('%');
  const spelled = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = MAPPED.exec(spelled) ?? [];
  return high !== undefined && low !== undefined ? ipv4Of(high, low) : spelled;
}

function withoutPort(text: string): string {
  return (BRACKETED.exec(text) ?? IPV4_WITH_PORT.exec(text))?.[1] ?? text;
}

function ipv4Of(...groups: string[]): string {
  return groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}
