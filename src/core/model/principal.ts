import { toAddress } from './address.js';
import { asciiJson } from './ascii-json.js';
import { serializeData } from './data.js';
import { InvalidArgumentError } from './errors.js';
import type { AuthenticationLevel, ReadonlySessionData, Role, SessionClient } from './session.js';

/** Who signed in: what a sign-in handler returns once it has verified the credentials. */
export interface SessionPrincipal {
  /** Whose session it is: 1 to 255 characters, compared exactly. */
  readonly userId: string;
  /** Default: none; at a step-up, those that the session has. */
  readonly roles?: readonly Role[];
  /** What this very sign-in has proved; default: 1. At a step-up, levels above it keep the time of their own last proof. */
  readonly level?: AuthenticationLevel;
  /** Merged into what the session holds already. */
  readonly data?: ReadonlySessionData;
}

/** Where a sign-in came from. */
export interface ClientInfo {
  /** IP address; without its port, zone and brackets. What is none is not kept. */
  readonly ip?: string | null;
  /** The header `User-Agent`; cut to 255 characters. */
  readonly userAgent?: string | null;
  /** A name that people recognise, such as that of the device; cut to 100 characters. */
  readonly label?: string | null;
}

const MAX_ID_LENGTH = 255;
const MAX_ROLE_LENGTH = 100;
const MAX_ROLES = 100;
/** The widths of the columns: what is longer is cut, since a long user agent is no reason to refuse a sign-in. */
const CLIENT_WIDTHS = { userAgent: 255, label: 100 } as const;
// Characters that could forge a line of a log or hide text in a device list.
const CONTROL_CHARACTERS = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/** @throws InvalidArgumentError unless it is text that every database stores and compares exactly. */
export function assertIdentifier(argument: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '') {
    throw new InvalidArgumentError(argument, value, 'pass a non-empty string.');
  }
  if (value.length > MAX_ID_LENGTH || !value.isWellFormed() || value.includes('\0')) {
    throw new InvalidArgumentError(
      argument,
      value,
      `pass at most ${MAX_ID_LENGTH} characters of well-formed text without NUL.`,
    );
  }
}

/** @throws InvalidArgumentError unless it is a list of role names. */
export function assertRoles(roles: unknown): asserts roles is readonly Role[] {
  if (!Array.isArray(roles) || roles.length > MAX_ROLES || !Array.from(roles).every(isRoleName)) {
    throw new InvalidArgumentError(
      'roles',
      roles,
      `pass an array of at most ${MAX_ROLES} names of 1 to ${MAX_ROLE_LENGTH} characters.`,
    );
  }
}

/** @throws InvalidArgumentError for whatever is not a principal. */
export function assertPrincipal(value: unknown, maxDataBytes: number): asserts value is SessionPrincipal {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError('principal', value, 'return `{ userId, roles }`.');
  }
  const { userId, roles, role, level, data } = value as Record<string, unknown>;
  assertIdentifier('principal.userId', userId);
  if (role !== undefined && roles === undefined) {
    throw new InvalidArgumentError('principal.role', role, 'call it `roles`, which is a list.');
  }
  if (roles !== undefined) assertRoles(roles);
  if (level !== undefined && level !== 1 && level !== 2 && level !== 3) {
    throw new InvalidArgumentError('principal.level', level, 'use 1, 2 or 3, or leave it out.');
  }
  if (data !== undefined) serializeData(data, maxDataBytes);
}

/** Roles as they are stored: each once. */
export function serializeRoles(roles: readonly string[]): string {
  return asciiJson([...new Set(roles)]);
}

/** Client information as it is stored. */
export function toClient(client: ClientInfo | null | undefined): SessionClient {
  return {
    ip: toAddress(client?.ip),
    userAgent: cut(client?.userAgent, CLIENT_WIDTHS.userAgent),
    label: cut(client?.label, CLIENT_WIDTHS.label),
  };
}

function cut(text: unknown, width: number): string | null {
  if (typeof text !== 'string' || text === '') return null;
  // Cut again by code points, so that no surrogate pair is halved.
  const clean = text
    .slice(0, 4 * width)
    .toWellFormed()
    .replace(CONTROL_CHARACTERS, ' ');
  return [...clean].slice(0, width).join('');
}

function isRoleName(role: unknown): boolean {
  return typeof role === 'string' && role !== '' && role.length <= MAX_ROLE_LENGTH && role.isWellFormed();
}
