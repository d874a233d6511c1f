import type { SessionUserRow, StoredRecord } from '../columns.js';
import type { EntityTable } from '../entity-table.js';

/** Escaped names of the tables and their columns. */
export interface Names {
  readonly sessions: string;
  readonly users: string;
  readonly session: (field: keyof StoredRecord) => string;
  readonly user: (field: keyof SessionUserRow) => string;
}

export function namesOf(sessions: EntityTable<StoredRecord>, users: EntityTable<SessionUserRow>): Names {
  return {
    sessions: sessions.name,
    users: users.name,
    session: remembering((field) => sessions.column(field)),
    user: remembering((field) => users.column(field)),
  };
}

/** TypeORM looks through all columns for each. */
function remembering<Field>(nameOf: (field: Field) => string): (field: Field) => string {
  const names = new Map<Field, string>();
  return (field) => {
    let name = names.get(field);
    if (name === undefined) names.set(field, (name = nameOf(field)));
    return name;
  };
}
