import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from '@jest/globals';
import { pageAt } from './pages.js';
import { RunnablePage } from './running.js';

const testing = pageAt('docs/testing.md');
const page = await RunnablePage.of(testing);
afterAll(() => page.dispose());

// Its tests become tests of this file.
await page.run('accounts.spec.ts');

it('what the page says of CommonJS Jest is what the consumer with CommonJS Jest has', () => {
  const shown = testing.blocks.find(({ language }) => language === 'json');
  const { transformIgnorePatterns, transform } = JSON.parse(shown?.code ?? '{}') as {
    transformIgnorePatterns: string[];
    transform: Record<string, string>;
  };
  const used = readFileSync('test/consumers/jest-commonjs/jest.config.js', 'utf8').replaceAll('\\\\', '\\');
  for (const text of [...transformIgnorePatterns, ...Object.entries(transform).flat()]) {
    expect(used).toContain(`'${text}'`);
  }
});
