import { asciiJson } from './ascii-json.js';
import { InvalidArgumentError } from './errors.js';
import type { SessionData } from './session.js';

const MAX_DEPTH = 64;

/**
 * The JSON text of session data, as it is stored. What JSON would drop or bend in silence (a Date, a Map, `undefined` in a list, NaN,
 * a cycle) is refused with the path to it, and so is what is larger than `maxBytes`.
 */
export function serializeData(data: unknown, maxBytes: number): string {
  if (!isPlainObject(data)) {
    throw new InvalidArgumentError('data', data, 'pass a plain object of JSON values.');
  }
  const text = asciiJson(copyOf(data, 'data', 0));
  if (text.length > maxBytes) {
    throw new InvalidArgumentError(
      'data',
      data,
      `its ${text.length} bytes are more than the ${maxBytes} of the option \`maxDataBytes\`; ` +
        'keep large things in a table of your own.',
    );
  }
  return text;
}

export function parseData(text: string): SessionData {
  return JSON.parse(text) as SessionData;
}

/** A copy of which nothing but JSON is left: no getter, no `toJSON`, own or inherited, says something else later. */
function copyOf(value: unknown, path: string, depth: number): unknown {
  if (depth > MAX_DEPTH) {
    throw new InvalidArgumentError(
      path,
      value,
      `session data is at most ${MAX_DEPTH} levels deep and has no cycles.`,
    );
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) {
    return Array.from(value, (item, index) => copyOf(item, `${path}[${index}]`, depth + 1));
  }
  if (!isPlainObject(value)) {
    throw new InvalidArgumentError(path, value, 'session data holds JSON values only; convert it first.');
  }
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, item] of Object.entries(value)) {
    const itsPath = `${path}.${readable(key)}`;
    if (key === '__proto__') {
      throw new InvalidArgumentError(itsPath, item, 'this name is not allowed in session data.');
    }
    if (item !== undefined) copy[key] = copyOf(item, itsPath, depth + 1);
  }
  return copy;
}

/** Names come from clients, and messages go to the log: no line of it is theirs. */
function readable(key: string): string {
  return /^[\w$-]{1,40}$/.test(key) ? key : '…';
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Not `=== Object.prototype`: objects come from other realms too.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
