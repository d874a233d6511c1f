import type { SessionCookie } from '../http/session-cookie.js';
import { REFUSED_ANSWERS } from './refused-answers.js';

/** The names under which a document has them. */
export const BEARER = 'session-bearer';
export const COOKIE = 'session-cookie';

export function referenceTo(schema: keyof typeof SESSION_SCHEMAS): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${schema}` };
}

const time = { type: 'string', format: 'date-time' } as const;

const text = { type: 'string' as const };

/** The body of every refusal of this library, as a JSON schema of OpenAPI. */
export const SESSION_REFUSAL_SCHEMA = {
  type: 'object' as const,
  description: 'Why a request was refused. Programs go by `code`; `message` is for people.',
  required: ['statusCode', 'message', 'error', 'code'],
  properties: {
    statusCode: { type: 'integer' as const },
    message: text,
    error: text,
    code: { ...text, enum: [...Object.keys(REFUSED_ANSWERS), 'invalid_argument'] },
  },
};

const PUBLIC_SESSION = {
  type: 'object',
  description: 'What may be known of a session. It cannot be used in place of the token.',
  required: [
    'id',
    'userId',
    'roles',
    'level',
    'createdAt',
    'authenticatedAt',
    'lastSeenAt',
    'expiresAt',
    'client',
  ],
  properties: {
    id: { type: 'string', format: 'uuid' },
    userId: { type: 'string', nullable: true, description: 'Who signed in; null before sign-in.' },
    roles: { type: 'array', items: { type: 'string' } },
    level: {
      type: 'integer',
      minimum: 1,
      maximum: 3,
      nullable: true,
      description: 'Authenticator assurance level (NIST SP 800-63B); null before sign-in.',
    },
    createdAt: time,
    authenticatedAt: { ...time, nullable: true, description: 'The last sign-in or step-up.' },
    lastSeenAt: time,
    expiresAt: { ...time, description: 'When it ends unless there is activity.' },
    client: {
      type: 'object',
      description: 'Where the session was started.',
      required: ['ip', 'userAgent', 'label'],
      properties: {
        ip: { type: 'string', nullable: true },
        userAgent: { type: 'string', nullable: true },
        label: { type: 'string', nullable: true },
      },
    },
  },
} as const;

export const SESSION_SCHEMAS = {
  SessionRefusal: SESSION_REFUSAL_SCHEMA,
  PublicSession: PUBLIC_SESSION,
  BearerAnswer: {
    type: 'object',
    description: 'A sign-in, for apps.',
    required: ['token', 'expiresAt', 'session'],
    properties: {
      token: { type: 'string', description: 'To be sent as `Authorization: Bearer`; kept in memory only.' },
      expiresAt: time,
      session: { $ref: '#/components/schemas/PublicSession' },
    },
  },
  CookieAnswer: {
    type: 'object',
    description: 'A sign-in, for browsers, which get the token in a cookie.',
    required: ['session'],
    properties: { session: { $ref: '#/components/schemas/PublicSession' } },
  },
} as const;

/** How a request shows its token: either way is accepted everywhere. */
export function securitySchemes(cookie: SessionCookie): Readonly<Record<string, object>> {
  return {
    [BEARER]: {
      type: 'http',
      scheme: 'bearer',
      description:
        'The token of a session. A renewed one comes in the header `Session-Token` of an answer and takes its place.',
    },
    [COOKIE]: {
      type: 'apiKey',
      in: 'cookie',
      name: cookie.nameOn('secure'),
      description: 'The token of a session, for browsers. Requests from pages of other origins are refused.',
    },
  };
}
