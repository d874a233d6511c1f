export type Cell = string | number;

/** A Markdown table; all columns but the first are aligned to the right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

/** With three significant digits, and thousands apart. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  if (value >= 10) return value.toFixed(1);
  return value.toFixed(2);
}

/** Of a goal. */
export function verdict(isMet: boolean): string {
  return isMet ? 'met' : '**missed**';
}

export function milliseconds(microseconds: number): string {
  return figure(microseconds / 1000);
}

export function megabytes(bytes: number): string {
  return figure(bytes / 2 ** 20);
}
