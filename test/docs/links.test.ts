import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from '@jest/globals';
import { type Page, PAGES } from './pages.js';

/** What is wrong with a link, or `null`. */
function faultOf(page: Page, link: string): string | null {
  if (link.startsWith('https://')) return null;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page.path : normalize(join(dirname(page.path), path));
  if (!existsSync(target)) return `${link}: there is no ${target}`;
  if (anchor === undefined) return null;
  const there = PAGES.find((candidate) => candidate.path === target);
  return there?.anchors.has(anchor) ? null : `${link}: ${target} has no heading for it`;
}

it.each(PAGES.map((page) => [page.path, page] as const))('the links of %s lead somewhere', (_, page) => {
  expect(page.links.map((link) => faultOf(page, link)).filter(Boolean)).toEqual([]);
});

it('every page can be reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const path of reached) {
    const page = PAGES.find((candidate) => candidate.path === path);
    for (const link of page?.links ?? [])
      reached.add(normalize(join(dirname(path), link.split('#')[0] ?? '')));
  }
  expect(PAGES.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
});
