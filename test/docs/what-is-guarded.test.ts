import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { pageAt } from './pages.js';

const { text } = pageAt('docs/what-is-guarded.md');
const NAMED = /`((?:edge|http)\/[\w-]+) › ([^`]+)`/g;

it.each([...text.matchAll(NAMED)].map(([, file = '', title = '']) => [file, title]))(
  'what is guarded is shown by %s › %s',
  (file, title) => {
    const path = `test/${file}.test.ts`;
    expect(existsSync(path)).toBe(true);
    const titles = readFileSync(path, 'utf8').match(/(['"`])(?:(?!\1)[^\\\n]|\\.)*\1/g) ?? [];
    expect(titles.map((quoted) => quoted.slice(1)).filter((one) => one.startsWith(title))).not.toEqual([]);
  },
);

it('every way in the tables of what is guarded has a test', () => {
  const rows = text.split('\n').filter((line) => /^\| (?!way |-)/.test(line));
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter((row) => row.match(NAMED) === null)).toEqual([]);
});
