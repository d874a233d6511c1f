import { describe, expect, it } from '@jest/globals';
import { mistakesIn } from './examples.js';
import { type Block, PAGES, PAGES_WITH_PROVIDERS } from './pages.js';

/** What becomes of a block by its language; others are not known. */
const CHECKS: Readonly<Record<string, (block: Block) => void>> = {
  ts: () => {}, // all at once, below
  // As the suites have it themselves.
  js: () => {},
  json: ({ code }) => void JSON.parse(code),
  // Whether it is a script that a shell can read; those of the README are run elsewhere.
  sh: () => {},
  console: ({ code }) => expect(code).toMatch(/^\$ /),
  // Drawn by whoever shows the page.
  mermaid: ({ code }) => expect(code).toMatch(/^(?:stateDiagram-v2|sequenceDiagram|flowchart TD)\n/),
  text: () => {},
};

const blocks = PAGES.flatMap((page) => page.blocks);

describe('examples', () => {
  it('compile', () => {
    const examples = blocks.filter(
      ({ page, language }) => language === 'ts' && !PAGES_WITH_PROVIDERS.includes(page),
    );
    expect(examples.length).toBeGreaterThan(40);
    expect(mistakesIn(examples)).toEqual([]);
  }, 120_000);

  it.each(blocks.map((block) => [`${block.page}:${block.line}`, block] as const))(
    'at %s are in a language that is known, and in order',
    (_, block) => {
      expect(Object.keys(CHECKS)).toContain(block.language);
      CHECKS[block.language]?.(block);
    },
  );
});
