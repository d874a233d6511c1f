import type { RefusalCode, SessionEvent } from './session-event.js';

/** How much an entry matters: the levels of Nest's `Logger`. */
export type AuditLevel = 'verbose' | 'debug' | 'log' | 'warn';

interface Classification {
  readonly level: AuditLevel;
  /** The name in the OWASP Logging Vocabulary; `null` where it has none. */
  readonly vocabulary: string | null;
}

interface Head<T> {
  readonly event: T;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** A session event as the audit trail keeps it: all of it can be written as JSON, and none of it is secret. */
export type AuditEntry<E = SessionEvent> = E extends SessionEvent
  ? Head<E['type']> & Classification & Omit<E, 'type' | 'at' | 'origin'>
  : never;

const BY_TYPE: Readonly<Record<Exclude<SessionEvent['type'], 'refused'>, Classification>> = {
  created: { level: 'log', vocabulary: 'session_created' },
  authenticated: { level: 'log', vocabulary: 'authn_login_success' },
  renewed: { level: 'debug', vocabulary: 'session_renewed' },
  rotated: { level: 'log', vocabulary: 'authn_token_created' },
  updated: { level: 'debug', vocabulary: null },
  'roles-changed': { level: 'log', vocabulary: 'authz_change' },
  revoked: { level: 'log', vocabulary: 'authn_token_revoked' },
  'outcome-unknown': { level: 'warn', vocabulary: null },
  expired: { level: 'log', vocabulary: 'session_use_after_expire' },
  purged: { level: 'debug', vocabulary: 'session_expired' },
  'reuse-detected': { level: 'warn', vocabulary: 'authn_token_reuse' },
  'renewal-ignored': { level: 'warn', vocabulary: null },
  // Quiet as what is in `BY_CODE`: anybody can bring it about.
  'sign-in-failed': { level: 'verbose', vocabulary: 'authn_login_fail' },
  'guessing-suspected': { level: 'warn', vocabulary: 'excess_rate_limit_exceeded' },
};

/** What anybody can bring about without a session is quiet, or a flood of it would be a flood of the log. */
const BY_CODE: Readonly<Record<RefusalCode, Classification>> = {
  session_required: { level: 'verbose', vocabulary: null },
  session_invalid: { level: 'verbose', vocabulary: null },
  session_expired: { level: 'verbose', vocabulary: null },
  session_store_unavailable: { level: 'verbose', vocabulary: null },
  too_many_guesses: { level: 'verbose', vocabulary: 'excess_rate_limit_exceeded' },
  https_required: { level: 'verbose', vocabulary: null },
  reauthentication_required: { level: 'debug', vocabulary: null },
  role_required: { level: 'warn', vocabulary: 'authz_fail' },
  cross_origin: { level: 'verbose', vocabulary: 'malicious_cors' },
  session_limit: { level: 'warn', vocabulary: null },
};

/** The entry for an event. */
export function toAuditEntry(event: SessionEvent): AuditEntry {
  const { type, at, origin: _, ...detail } = event;
  const classification = event.type === 'refused' ? BY_CODE[event.code] : BY_TYPE[event.type];
  return { event: type, at: at.toISOString(), ...classification, ...detail } as AuditEntry;
}
