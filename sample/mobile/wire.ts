import { detail } from './report.js';

/**
 * The line between app and bank. It prints what goes over it, without the tokens, and keeps a copy of the latest token,
 * as a thief would who has got hold of one. HTTPS keeps others from listening; here we look over our own shoulder.
 */
export class Wire {
  #copy = '';

  /** The token that was sent last. */
  get copiedToken(): string {
    return this.#copy;
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const authorization = new Headers(init.headers).get('Authorization');
    if (authorization) this.#copy = authorization.slice('Bearer '.length);
    const response = await fetch(url, init);
    const withToken = authorization ? '   Authorization: Bearer sid_…' : '';
    detail(`> ${init.method ?? 'GET'} ${new URL(url).pathname}${withToken}`);
    detail(`< ${await summaryOf(response)}`);
    return response;
  };
}

/** The status, and the code if there is one: `401 session_invalid`. */
export async function summaryOf(response: Response): Promise<string> {
  const body = (await response
    .clone()
    .json()
    .catch(() => ({}))) as { code?: string; token?: string };
  const parts = [String(response.status)];
  if (body.code) parts.push(body.code);
  if (body.token) parts.push('  { "token": "sid_…", … }');
  return parts.join(' ');
}
