import { crc32 } from 'node:zlib';

/** A token as anybody can make it who knows the format, without a key: `sid_`, 48 bytes and their checksum. */
export function forgeToken(bytes: Buffer): string {
  const unsigned = `sid_${bytes.toString('base64url')}`;
  return unsigned + checksumOf(unsigned);
}

export function checksumOf(unsigned: string): string {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(unsigned));
  return checksum.toString('base64url');
}

/** The 16 bytes of series and the 32 bytes of secret. */
export function bytesOf(token: string): { readonly series: Buffer; readonly secret: Buffer } {
  const bytes = Buffer.from(token.slice(4, 68), 'base64url');
  return { series: bytes.subarray(0, 16), secret: bytes.subarray(16) };
}
