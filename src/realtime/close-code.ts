const NOT_ALLOWED: ReadonlySet<string> = new Set(['role_required', 'cross_origin', 'https_required']);

/** The code of the close frame: of those that are free to use, with the status of HTTP behind the 4 (RFC 6455 §7.4.2). */
export function closeCodeOf(code: string): number {
  return NOT_ALLOWED.has(code) ? 4403 : 4401;
}
