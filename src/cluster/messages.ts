import type { Announcement } from '../core/model/announcement.js';
import type { SessionEvent } from '../core/model/session-event.js';

/** What nodes tell each other. None of it holds a token. */
export type Message =
  | {
      readonly kind: 'announcement';
      readonly key: string;
      readonly from: string;
      readonly changes: readonly Announcement[];
    }
  | { readonly kind: 'acknowledgement'; readonly keys: readonly string[]; readonly by: readonly string[] }
  | { readonly kind: 'ping'; readonly number: number }
  | { readonly kind: 'event'; readonly from: string; readonly event: WrittenEvent };

/** Without what is personal: addresses stay on the node that has seen them. */
type WrittenEvent = Omit<SessionEvent, 'at' | 'client' | 'origin'> & { readonly at: number };

/** What took something away, or changed it. */
const TOLD: ReadonlySet<unknown> = new Set([
  'authenticated',
  'rotated',
  'updated',
  'roles-changed',
  'revoked',
  'reuse-detected',
] satisfies SessionEvent['type'][]);

/** Whether other nodes are told of such an event. */
export function isTold({ type, origin }: SessionEvent): boolean {
  return origin === 'own' && TOLD.has(type);
}

export function writeEvent(event: SessionEvent): WrittenEvent {
  const { client: _client, origin: _origin, at, ...rest } = event;
  return { ...rest, at: at.getTime() };
}

/** `null` for what is no such event. */
export function readEvent(written: WrittenEvent): SessionEvent | null {
  const isEvent = TOLD.has(written.type) && Number.isFinite(written.at);
  if (!isEvent) return null;
  return { ...written, at: new Date(written.at), client: null, origin: 'other' } as SessionEvent;
}

const SCOPES: ReadonlySet<unknown> = new Set(['session', 'series', 'user'] satisfies Announcement['scope'][]);

/** `null` for what is none: a newer version may send what this one does not know, and goes without an acknowledgement. */
export function readMessage(text: string): Message | null {
  let message: Partial<Record<string, unknown>> | null;
  try {
    message = JSON.parse(text) as typeof message;
  } catch {
    return null;
  }
  if (typeof message !== 'object' || message === null) return null;
  return isMessage(message) ? (message as unknown as Message) : null;
}

function isMessage(message: Partial<Record<string, unknown>>): boolean {
  const { kind, key, from, changes, keys, by, number, event } = message;
  switch (kind) {
    case 'announcement':
      return isText(key) && isText(from) && Array.isArray(changes) && changes.every(isAnnouncement);
    case 'acknowledgement':
      return isListOfTexts(keys) && isListOfTexts(by);
    case 'ping':
      return typeof number === 'number';
    case 'event':
      return isText(from) && typeof event === 'object' && event !== null;
    default:
      return false;
  }
}

function isAnnouncement(value: unknown): boolean {
  const { scope, id } = (value ?? {}) as Partial<Record<'scope' | 'id', unknown>>;
  return scope === 'all' || (SCOPES.has(scope) && isText(id));
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isListOfTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}
