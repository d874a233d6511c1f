import { performance } from 'node:perf_hooks';
import type { DataSource, EntitySubscriberInterface } from 'typeorm';

/** Rows that one statement of a purge deleted, and the time since the one before. */
export interface Batch {
  readonly rows: number;
  readonly seconds: number;
}

/** @returns the batches, to which those of a purge that begins now are added as they come */
export function watchBatches(dataSource: DataSource): readonly Batch[] {
  const batches: Batch[] = [];
  let previous = performance.now();
  const watcher: EntitySubscriberInterface = {
    afterQuery({ query, rawResults }) {
      if (!query.includes('DELETE FROM')) return;
      const [row] = (rawResults as { rows: { count?: string }[] } | undefined)?.rows ?? [];
      const rows = Number(row?.count ?? 0);
      if (rows === 0) return;
      const now = performance.now();
      batches.push({ rows, seconds: (now - previous) / 1000 });
      previous = now;
    },
  };
  dataSource.subscribers.push(watcher);
  return batches;
}

export function rowsOf(batches: readonly Batch[]): number {
  return batches.reduce((total, { rows }) => total + rows, 0);
}

export function rowsPerSecondOf(batches: readonly Batch[]): number {
  return rowsOf(batches) / batches.reduce((total, { seconds }) => total + seconds, 0);
}
