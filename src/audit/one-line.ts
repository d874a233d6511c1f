import type { AuditEntry } from '../core/model/audit-entry.js';

/** Values that need no quotes: they cannot be taken for several, nor for the end of a line. */
const PLAIN = /^[\w.:/@-]+$/;

/**
 * The entry, as one line where a console shows it: `revoked reason=sign-out sessionId=… userId=ana`. Its fields stay what
 * they are for whoever keeps objects, as JSON, pino and winston do: they do not see what is not enumerable.
 */
export function onOneLine(entry: AuditEntry): AuditEntry {
  const inspect = { value: () => lineOf(entry), enumerable: false };
  return Object.defineProperty({ ...entry }, Symbol.for('nodejs.util.inspect.custom'), inspect);
}

/** Without what the log shows itself: when, and how much it matters. */
function lineOf({ event, at: _at, level: _level, vocabulary: _vocabulary, ...detail }: AuditEntry): string {
  // Of a single session its id is there twice.
  const shown = detail.sessionId === null ? detail : { ...detail, sessionIds: null };
  return [event, ...Object.entries(shown).flatMap(([name, value]) => pairsOf(name, value))].join(' ');
}

/** What is not there is left out; the parts of an object stand by themselves, as `client.ip=…`. */
function pairsOf(name: string, value: unknown): string[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return [`${name}=${textOf(value.join(','))}`];
  if (typeof value === 'object') {
    return Object.entries(value).flatMap(([part, each]) => pairsOf(`${name}.${part}`, each));
  }
  return [`${name}=${textOf(String(value))}`];
}

function textOf(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}
