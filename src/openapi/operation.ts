import type { ResolvedSessionOptions } from '../core/options/resolve-options.js';
import { needsSession, type Requirement } from '../http/requirement.js';
import { codesOf, REFUSED_ANSWERS, type RefusedCode } from './refused-answers.js';
import { BEARER, COOKIE, referenceTo } from './schemas.js';

type Responses = Readonly<Record<string, object>>;
type Security = readonly Readonly<Record<string, readonly string[]>>[];

const EITHER_WAY: Security = [{ [BEARER]: [] }, { [COOKIE]: [] }];

const HEADERS = {
  'WWW-Authenticate': { description: 'The challenge (RFC 6750, RFC 9470).', schema: { type: 'string' } },
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } },
} as const;

/** Which tokens an operation asks for. An empty list: none; an empty object in the list: it goes without too. */
export function securityOf(requirement: Requirement): Security {
  if (requirement.opens === 'public') return [];
  return needsSession(requirement) ? EITHER_WAY : [...EITHER_WAY, {}];
}

/** The refusals of handlers that one function answers for, by status. */
export function refusalsOf(requirements: readonly Requirement[], options: ResolvedSessionOptions): Responses {
  const may = new Set(requirements.flatMap((requirement) => codesOf(requirement, options)));
  const codes = (Object.keys(REFUSED_ANSWERS) as RefusedCode[]).filter((code) => may.has(code));
  const statuses = new Set(codes.map((code) => REFUSED_ANSWERS[code].status));
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      refusal(codes.filter((code) => REFUSED_ANSWERS[code].status === status)),
    ]),
  );
}

function refusal(codes: readonly RefusedCode[]): object {
  const headers = codes.flatMap((code) => REFUSED_ANSWERS[code].header ?? []);
  const schema = {
    allOf: [referenceTo('SessionRefusal'), { type: 'object', properties: { code: { enum: codes } } }],
  };
  return {
    description: codes.map((code) => `\`${code}\`: ${REFUSED_ANSWERS[code].description}`).join('\n\n'),
    ...(headers.length > 0 && { headers: Object.fromEntries(headers.map((name) => [name, HEADERS[name]])) }),
    content: { 'application/json': { schema } },
  };
}

/** What a sign-in answers with; a step-up, by the way that its request came. */
export function signedIn(requirement: Requirement, options: ResolvedSessionOptions): object {
  const { transport = options.transport } = requirement.life;
  const isStepUp = needsSession(requirement);
  const cookie = { 'Set-Cookie': { description: 'The token of the session.', schema: { type: 'string' } } };
  const [bearerBody, cookieBody] = [referenceTo('BearerAnswer'), referenceTo('CookieAnswer')];
  const body = transport === 'cookie' ? cookieBody : bearerBody;
  return {
    description: isStepUp ? 'A new token for the session; the earlier one is dead.' : 'A session.',
    ...((isStepUp || transport === 'cookie') && { headers: cookie }),
    content: { 'application/json': { schema: isStepUp ? { oneOf: [bearerBody, cookieBody] } : body } },
  };
}
