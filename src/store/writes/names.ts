import type { StoredRecord } from './sign-ins.js';

/** Escaped names of the tables and their columns. */
export interface Names {
  readonly sessions: string;
  readonly users: string;
  readonly session: (field: keyof StoredRecord) => string;
  readonly user: (field: 'userHash' | 'number' | 'turns') => string;
}
