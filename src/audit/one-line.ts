import type { AuditEntry } from '../core/model/audit-entry.js';

/** Values that need no quotes: they cannot be taken for several, nor for the end of a line. */
const PLAIN = /^[\w.:/@-]+$/;

/** An entry as the audit trail has it, or without what the logger says itself. */
type Shown = Omit<AuditEntry, 'level'>;

/** Has no `constructor` of its own: Nest takes what inherits from it for no plain object, and puts no `Object(8)` before it. */
const ONE_LINE = {
  [Symbol.for('nodejs.util.inspect.custom')](this: Shown): string {
    return lineOf(this);
  },
};

/**
 * The entry, as one line where a console shows it: `revoked reason=sign-out sessionId=… userId=ana`. Its fields stay what
 * they are for whoever keeps objects, as JSON, pino and winston do: they do not see what is inherited.
 */
export function onOneLine<Entry extends Shown>(entry: Entry): Entry {
  return Object.assign(Object.create(ONE_LINE), entry) as Entry;
}

/** Without what the log shows itself: when, and how much it matters. */
function lineOf(entry: Shown): string {
  const { event, at: _at, level: _level, vocabulary: _vocabulary, ...detail } = entry as AuditEntry;
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
