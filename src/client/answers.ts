import type { EndReason, StepUpChallenge } from './events.js';
import type { ResponseLike } from './platform.js';

/** What a 401 says about the session. Any other answer, a sign-in that failed and a 401 of the application's own say nothing. */
export type Verdict = 'step-up' | EndReason | null;

export async function verdictOf(response: ResponseLike): Promise<Verdict> {
  if (response.status !== 401) return null;
  const code = codeOf(await bodyOf(response.clone()));
  if (code === 'reauthentication_required') return 'step-up';
  return /^session_(required|invalid|expired)$/.test(code) ? (code as EndReason) : null;
}

/** From another origin the header can be read only if CORS exposes it; without it the challenge is empty. */
export function challengeOf({ headers }: ResponseLike): StepUpChallenge {
  const header = headers.get('WWW-Authenticate') ?? '';
  const [, maxAge] = /max_age="?(\d+)/.exec(header) ?? [];
  const [, acrValues] = /acr_values="([^"]*)/.exec(header) ?? [];
  return { maxAge: maxAge ? Number(maxAge) : null, acrValues: acrValues ?? null };
}

/** `null` where it is no JSON. */
export function bodyOf(response: ResponseLike): Promise<unknown> {
  return response.json().catch(() => null);
}

export function codeOf(body: unknown): string {
  return String((body as { code?: unknown } | null)?.code ?? 'refused');
}
