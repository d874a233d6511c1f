import type { SessionRecord } from '../core/model/record.js';
import type { EndedSession } from '../core/model/store.js';
import { SESSION_COLUMNS } from './columns.js';
import { assertPrimary } from './standby.js';

type Field = keyof SessionRecord;

/** The properties of a record, in the order in which statements name them. */
export const RECORD_FIELDS: readonly Field[] = SESSION_COLUMNS.map(({ field }) => field);

const NUMBERS = SESSION_COLUMNS.filter(({ type }) => type !== 'varchar' && type !== 'text').map(
  ({ field }) => field,
);

/** A row as drivers return it, under the names of the record: numbers are strings on some databases. */
export type SessionRow = { [field in Field]: unknown };

/** The row itself becomes the record: nobody else has it. */
export function toRecord(row: SessionRow): SessionRecord {
  for (const field of NUMBERS) {
    const value = row[field];
    if (value !== null && typeof value !== 'number') row[field] = Number(value);
  }
  return row as SessionRecord;
}

/** What is read of a session that was ended: not its data, which may be long. */
export const ENDED_FIELDS = [
  'id',
  'userId',
  'roles',
  'authenticatedAt',
  'lastSeenAt',
  'expiresAt',
  'ip',
  'userAgent',
  'label',
] as const satisfies readonly (keyof EndedSession)[];

export type EndedRow = { [field in (typeof ENDED_FIELDS)[number]]: unknown };

export function toEnded(row: EndedRow): EndedSession {
  const { authenticatedAt, lastSeenAt, expiresAt } = row;
  return {
    ...(row as EndedSession),
    authenticatedAt: Number(authenticatedAt),
    lastSeenAt: Number(lastSeenAt),
    expiresAt: Number(expiresAt),
  };
}

/** Of a session that is still pending nobody has been told, so that there is no end of it to tell. */
export function wasLive({ expiresAt }: EndedSession): boolean {
  return expiresAt > 0;
}

/** What the server was when it answered: see `ServerDialect.role`. */
export interface RoleRow {
  readonly role: unknown;
}

/** @throws StandbyError */
export function toPrimaryRecord({ role, ...row }: SessionRow & RoleRow): SessionRecord {
  assertPrimary(role);
  return toRecord(row);
}

/** All rows as a JSON array of arrays; `null` from PostgreSQL where there are none. */
export interface TextRow {
  readonly records: string | null;
}

/** Decoding one text takes half of what decoding 26 columns of each row takes. */
export function parseRecords([row]: readonly TextRow[]): SessionRecord[] {
  return (JSON.parse(row?.records ?? '[]') as Cells[]).map(fromCells) as unknown[] as SessionRecord[];
}

/** What stands in a column. It has the column in its type, so that two names that are swapped do not compile. */
interface Cell<F> {
  readonly field: F;
}
type Cells<Columns = typeof SESSION_COLUMNS> = {
  readonly [at in keyof Columns]: Cell<Columns[at] extends { field: infer F } ? F : never>;
};

/** Written out, since a loop over the names takes eight times as long. */
function fromCells([
  id,
  seriesHash,
  tokenHash,
  confirmedAt,
  rotatedAt,
  previousHash,
  previousKind,
  successor,
  unshown,
  ignoredFrom,
  userId,
  roles,
  createdAt,
  authenticatedAt,
  level2At,
  level3At,
  lastSeenAt,
  idleExpiresAt,
  absoluteExpiresAt,
  renewAt,
  expiresAt,
  ip,
  userAgent,
  label,
  data,
  dataVersion,
]: Cells): { readonly [field in Field]: Cell<field> } {
  return {
    id,
    seriesHash,
    tokenHash,
    confirmedAt,
    rotatedAt,
    previousHash,
    previousKind,
    successor,
    unshown,
    ignoredFrom,
    userId,
    roles,
    createdAt,
    authenticatedAt,
    level2At,
    level3At,
    lastSeenAt,
    idleExpiresAt,
    absoluteExpiresAt,
    renewAt,
    expiresAt,
    ip,
    userAgent,
    label,
    data,
    dataVersion,
  };
}
