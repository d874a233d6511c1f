import { existsSync, readdirSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { pageAt } from './pages.js';
import { testNamesIn } from './test-names.js';

const { text } = pageAt('docs/what-is-guarded.md');
/** A test, or some description around it and the test. */
const NAMED = /`((?:edge|http)\/[\w/-]+) › ([^`]+)`/g;

const named = [...text.matchAll(NAMED)].map(([, file = '', name = '']) => [file, name] as const);

it.each(named)('what is guarded is shown by %s › %s', (file, name) => {
  const path = `test/${file}.test.ts`;
  expect(existsSync(path)).toBe(true);
  const whole = testNamesIn(path).filter((one) => one === name || one.endsWith(` › ${name}`));
  expect(whole).toHaveLength(1);
});

it('every way in the tables of what is guarded has a test', () => {
  const rows = text.split('\n').filter((line) => /^\| (?!way |-)/.test(line));
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter((row) => row.match(NAMED) === null)).toEqual([]);
});

it('every test of a way is named in what is guarded', () => {
  const files = readdirSync('test/edge/ways').map((file) => `edge/ways/${file.replace('.test.ts', '')}`);
  const tests = files.flatMap((file) =>
    testNamesIn(`test/${file}.test.ts`).map((name) => [file, name] as const),
  );
  const isNamed = ([file, name]: readonly [string, string]) =>
    named.some(([there, one]) => there === file && (one === name || name.endsWith(` › ${one}`)));
  expect(tests.filter((test) => !isNamed(test))).toEqual([]);
});
