import { platform, type ResponseLike } from './platform.js';

/** How a server hands over a renewed token. */
const HEADER = 'Session-Token';

export function tokenIn({ headers }: ResponseLike): string | null {
  return headers.get(HEADER);
}

/**
 * The answer without the token, for the app: what logs, caches or copies answers must not get hold of it. The headers
 * of an answer cannot be changed, so it is another one with the same body, which streams on. Where the platform has
 * no streams there is no other with that body: then the headers are covered up.
 */
export function withoutToken(answer: ResponseLike): ResponseLike {
  const headers = new platform.Headers(answer.headers);
  headers.delete(HEADER);
  const { body, status, statusText, url, redirected, type } = answer;
  const { Response } = platform;
  const isNative = Response !== undefined && answer instanceof Response && body !== undefined;
  const bare = isNative ? new Response(body, { status, statusText, headers }) : answer;
  return cover(bare, { headers, url, redirected, type });
}

/** Puts what is visible over what the platform says, on the answer and on its clones. */
function cover(answer: ResponseLike, visible: Partial<ResponseLike>): ResponseLike {
  const clone = answer.clone.bind(answer);
  const properties = { ...visible, clone: () => cover(clone(), visible) };
  for (const [name, value] of Object.entries(properties)) Object.defineProperty(answer, name, { value });
  return answer;
}
