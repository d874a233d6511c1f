import { describe, expect, it } from '@jest/globals';
import { addToImports } from '../../schematics/src/module-imports.js';

const add = (decorator: string, ...modules: string[]) =>
  addToImports(
    { path: 'app.module.ts', text: `${decorator}\nexport class AppModule {}` },
    'AppModule',
    modules,
  ).replace('\nexport class AppModule {}', '');

describe('modules are added to the imports of @Module', () => {
  it.each([
    ['that has none', '@Module({})', '@Module({\n  imports: [\n    A,\n  ],})'],
    [
      'that has other metadata',
      '@Module({\n  providers: [B],\n})',
      '@Module({\n  imports: [\n    A,\n  ],\n  providers: [B],\n})',
    ],
    ['an empty array', '@Module({ imports: [] })', '@Module({ imports: [\n    A,\n  ] })'],
    ['on one line', '@Module({ imports: [B] })', '@Module({ imports: [B, A] })'],
    ['on one line, with a comma at its end', '@Module({ imports: [B,] })', '@Module({ imports: [B, A,] })'],
    [
      'on several lines',
      '@Module({\n  imports: [\n    B,\n  ],\n})',
      '@Module({\n  imports: [\n    B,\n    A,\n  ],\n})',
    ],
    [
      'without a comma, with a comment',
      '@Module({\n  imports: [\n    B // of the bank\n  ],\n})',
      '@Module({\n  imports: [\n    B, // of the bank\n    A,\n  ],\n})',
    ],
    [
      'with a comma and a comment',
      '@Module({\n  imports: [\n    B, /* one */ // two\n  ],\n})',
      '@Module({\n  imports: [\n    B, /* one */ // two\n    A,\n  ],\n})',
    ],
    [
      'with line ends of Windows',
      '@Module({\r\n  imports: [\r\n    B,\r\n  ],\r\n})',
      '@Module({\r\n  imports: [\r\n    B,\r\n    A,\r\n  ],\r\n})',
    ],
    [
      'whose name is in a text or comment too',
      '// imports: [B]\n@Module({ imports: [B] })',
      '// imports: [B]\n@Module({ imports: [B, A] })',
    ],
    [
      'with other decorators',
      '@Global()\n@Module({ imports: [B] })',
      '@Global()\n@Module({ imports: [B, A] })',
    ],
  ])('%s', (_, before, after) => {
    expect(add(before, 'A')).toBe(after);
  });

  it('several at once, in their order', () => {
    expect(add('@Module({ imports: [B] })', 'A', 'C')).toBe('@Module({ imports: [B, A, C] })');
  });
});

describe('what is not written out is refused', () => {
  it.each([
    ['imports from elsewhere', '@Module({ imports })', 'are not written out as an array'],
    ['imports by a call', '@Module({ imports: modules() })', 'are not written out as an array'],
    ['imports in a spread', '@Module({ ...metadata })', 'are not written out as an array'],
    ['metadata from elsewhere', '@Module(metadata)', 'no class AppModule with @Module({ … }) written out'],
    ['another decorator', '@Injectable()', 'no class AppModule with @Module({ … }) written out'],
  ])('%s', (_, decorator, why) => {
    expect(() => add(decorator, 'A')).toThrow(why);
  });
});
