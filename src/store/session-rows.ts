import type { SessionRecord } from '../core/model/record.js';

/** A row as the drivers return it, under the names of the record: bigints are strings on some databases. */
export type SessionRow = { readonly [field in keyof SessionRecord]: unknown };

export const RECORD_FIELDS = [
  'id',
  'seriesHash',
  'tokenHash',
  'confirmedAt',
  'rotatedAt',
  'previousHash',
  'previousKind',
  'successor',
  'userId',
  'roles',
  'level',
  'createdAt',
  'authenticatedAt',
  'lastSeenAt',
  'idleExpiresAt',
  'absoluteExpiresAt',
  'renewAt',
  'expiresAt',
  'ip',
  'userAgent',
  'label',
  'data',
  'dataVersion',
] as const satisfies readonly (keyof SessionRecord)[];

export function toRecord(row: SessionRow): SessionRecord {
  return {
    id: row.id as string,
    seriesHash: row.seriesHash as string,
    tokenHash: row.tokenHash as string,
    confirmedAt: row.confirmedAt === null ? null : Number(row.confirmedAt),
    rotatedAt: Number(row.rotatedAt),
    previousHash: row.previousHash as string | null,
    previousKind: row.previousKind as SessionRecord['previousKind'],
    successor: row.successor as string | null,
    userId: row.userId as string | null,
    roles: row.roles as string,
    level: Number(row.level) as SessionRecord['level'],
    createdAt: Number(row.createdAt),
    authenticatedAt: Number(row.authenticatedAt),
    lastSeenAt: Number(row.lastSeenAt),
    idleExpiresAt: Number(row.idleExpiresAt),
    absoluteExpiresAt: Number(row.absoluteExpiresAt),
    renewAt: Number(row.renewAt),
    expiresAt: Number(row.expiresAt),
    ip: row.ip as string | null,
    userAgent: row.userAgent as string | null,
    label: row.label as string | null,
    data: row.data as string,
    dataVersion: Number(row.dataVersion),
  };
}

/** The values of a record in the order of `RECORD_FIELDS`. */
type RecordValues<Fields = typeof RECORD_FIELDS> = {
  readonly [at in keyof Fields]: SessionRecord[Fields[at] & keyof SessionRecord];
};

/** All rows as a JSON array of arrays; `null` from PostgreSQL where there are none. */
export interface TextRow {
  readonly records: string | null;
}

/** Decoding one text takes half of what decoding 23 columns of each row takes. */
export function parseRecords([row]: readonly TextRow[]): SessionRecord[] {
  return (JSON.parse(row?.records ?? '[]') as RecordValues[]).map(fromValues);
}

function fromValues(values: RecordValues): SessionRecord {
  return {
    id: values[0],
    seriesHash: values[1],
    tokenHash: values[2],
    confirmedAt: values[3],
    rotatedAt: values[4],
    previousHash: values[5],
    previousKind: values[6],
    successor: values[7],
    userId: values[8],
    roles: values[9],
    level: values[10],
    createdAt: values[11],
    authenticatedAt: values[12],
    lastSeenAt: values[13],
    idleExpiresAt: values[14],
    absoluteExpiresAt: values[15],
    renewAt: values[16],
    expiresAt: values[17],
    ip: values[18],
    userAgent: values[19],
    label: values[20],
    data: values[21],
    dataVersion: values[22],
  };
}
