import { BlockList, isIP } from 'node:net';

/** This machine and local networks (RFC 1918, 3927, 4193, 4291): no address of the internet. */
const PRIVATE = new BlockList();
for (const [net, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  PRIVATE.addSubnet(net, bits, 'ipv4');
}
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/**
 * Names that the public name system never leads anywhere (RFC 2606, 6761, 6762, 8375; ICANN for `.internal`), and such of
 * one word, as containers have. Whoever rebinds a name of their own (DNS rebinding) has none of these.
 */
const PRIVATE_NAME = /^(?:[a-z0-9_-]+\.)*(?:localhost|local|test|internal|home\.arpa)$|^[a-z][a-z0-9_-]*$/;

/** With or without a zone: `fe80::1%eth0`. An IPv4 address may be written as IPv6. */
export function isPrivateAddress(address: string): boolean {
  const [plain = ''] = address.split('%');
  const family = isIP(plain);
  return family !== 0 && PRIVATE.check(plain, family === 4 ? 'ipv4' : 'ipv6');
}

/** Of an address without brackets, or a name in small letters. */
export function isPrivateHost(host: string): boolean {
  return isIP(host) === 0 ? PRIVATE_NAME.test(host) : isPrivateAddress(host);
}
