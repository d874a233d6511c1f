import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type SessionEvent, SessionOptionsError } from 'nestjs-sessions';
import ts from 'typescript';
import { toAuditEntry } from '../../src/core/model/audit-entry.js';
import type { AnyTable } from '../../src/core/options/option.js';
import { OPTIONS, resolveOptions } from '../../src/core/options/resolve-options.js';
import { STATIC_OPTIONS } from '../../src/session.module-definition.js';
import { commentOn, DOORS, exportsOf, isDocumented, membersOf } from './declarations.js';
import { pageAt } from './pages.js';

const library = exportsOf('src/index.ts');
const namesOfMembers = (name: string) => {
  const symbol = library.get(name);
  if (!symbol) throw new Error(`There is no ${name}.`);
  return membersOf(symbol).map((member) => member.name);
};
/** The texts in single quotes of the types of a file. */
const literalsOf = (path: string, pattern: RegExp) =>
  [...readFileSync(path, 'utf8').matchAll(pattern)].map(([, literal = '']) => literal);

/** As one writes it: `'30s'`, `16,384`. */
function written(fallback: unknown): string {
  if (Array.isArray(fallback)) return `[${fallback.map(written).join(', ')}]`;
  return typeof fallback === 'string' ? `'${fallback}'` : (fallback as number | boolean).toLocaleString('en');
}

/** The rows of the page's table of defaults and bounds. */
function rowsOf(table: AnyTable, path = ''): string[][] {
  return Object.entries(table).flatMap(([name, { fallback, values = '', parts }]) => {
    if (parts) return rowsOf(parts, `${path}${name}.`);
    if ((fallback ?? null) === null && values === '') return [];
    const byDefault = (fallback ?? null) === null ? 'see there' : `\`${written(fallback)}\``;
    return [[`[\`${path}${name}\`](#${(path.split('.')[0] || name).toLowerCase()})`, byDefault, values]];
  });
}

describe('docs/options.md', () => {
  const { anchors, text } = pageAt('docs/options.md');

  it.each(['SessionModuleOptions', 'SessionModuleStaticOptions'])(
    'has a section on every option of %s',
    (name) => {
      const options = namesOfMembers(name);
      expect(options.length).toBeGreaterThan(3);
      expect(options.filter((option) => !anchors.has(option.toLowerCase()))).toEqual([]);
    },
  );

  it.each(['TimeoutOptions', 'CookieOptions', 'PurgeOptions', 'SecretOptions', 'GuessingOptions'])(
    'names every part of %s',
    (name) => {
      const parts = namesOfMembers(name);
      expect(parts.length).toBeGreaterThan(1);
      expect(parts.filter((part) => !new RegExp(`\\b${part}\\b`).test(text))).toEqual([]);
    },
  );

  it('has the defaults and bounds that hold, in a table', () => {
    const section = text.slice(text.indexOf('## Defaults and bounds'));
    const rows = section
      .split('\n')
      .filter((line) => line.startsWith('| [`'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    expect(rows).toEqual([...rowsOf(OPTIONS), ...rowsOf(STATIC_OPTIONS)]);
  });

  it.each([
    ['SessionModuleOptions', OPTIONS],
    ['SessionModuleStaticOptions', STATIC_OPTIONS],
    ['CookieOptions', OPTIONS.cookie.parts],
    ['PurgeOptions', OPTIONS.purge.parts],
    ['GuessingOptions', OPTIONS.guessing.parts],
    ['SecretOptions', OPTIONS.secret.parts],
  ] as [string, AnyTable][])('and so has the docstring of each option of %s', (name, table) => {
    const comments = new Map(membersOf(library.get(name)!).map((member) => [member.name, commentOn(member)]));
    const wrong = Object.entries(table).filter(([option, { fallback }]) => {
      const said = comments.get(option)?.replaceAll('`', '') ?? '';
      const is = (fallback ?? null) === null ? '' : written(fallback);
      return (
        is !== '' &&
        ![is, is.replace(/^'(.*)'$/, '$1').replace('[]', 'none')].some((each) =>
          said.includes(`Default: ${each}`),
        )
      );
    });
    expect(wrong.map(([option]) => option)).toEqual([]);
  });

  it('shows the error that a wrong option is met with', () => {
    let message = '';
    try {
      resolveOptions({ timeouts: { idle: '15' as never } });
    } catch (error) {
      if (error instanceof SessionOptionsError) ({ message } = error);
    }
    expect(message).not.toBe('');
    expect(text).toContain(message);
  });
});

describe('docs/decorators.md', () => {
  it('has a section on every decorator', () => {
    const decorators = [...library]
      .filter(([, { declarations = [] }]) =>
        declarations.some(
          (declaration) =>
            ts.isFunctionDeclaration(declaration) &&
            declaration.getSourceFile().fileName.includes('.decorator'),
        ),
      )
      .map(([name]) => name);
    expect(decorators.length).toBeGreaterThan(8);
    const { anchors } = pageAt('docs/decorators.md');
    expect(decorators.filter((name) => !anchors.has(name.toLowerCase()))).toEqual([]);
  });

  it.each(['StartSessionOptions', 'EndSessionOptions', 'EnsureSessionOptions'])(
    'names every part of %s',
    (name) => {
      const { text } = pageAt('docs/decorators.md');
      expect(namesOfMembers(name).filter((part) => !text.includes(`- \`${part}\``))).toEqual([]);
    },
  );
});

describe('docs/session-service.md', () => {
  const { text } = pageAt('docs/session-service.md');

  it('names every verb', () => {
    const verbs = namesOfMembers('SessionService').filter((name) => name !== 'events');
    expect(verbs.length).toBeGreaterThan(10);
    expect(verbs.filter((name) => !text.includes(`| \`${name}(`))).toEqual([]);
  });

  it('gives the signature of every verb as it is', () => {
    const flat = (code: string) =>
      code.replaceAll(/\s+/g, ' ').replaceAll('( ', '(').replaceAll(/,? \)/g, ')');
    const path = 'src/session.service.ts';
    const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023, true);
    const verbs = file.statements
      .filter(ts.isClassDeclaration)
      .flatMap(({ members }) => members.filter(ts.isMethodDeclaration))
      .filter(({ modifiers = [] }) => !modifiers.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword));
    const signatures = verbs.map(({ name, parameters, type }) =>
      flat(`${name.getText()}(${parameters.map((each) => each.getText()).join(', ')}): ${type?.getText()}`),
    );
    expect(signatures.length).toBeGreaterThan(10);
    expect(signatures.filter((signature) => !flat(text).includes(signature))).toEqual([]);
  });

  it('names every type of event, and every reason of a revocation', () => {
    const types = literalsOf('src/core/model/session-event.ts', /readonly type: '([\w-]+)'/g);
    expect(types.length).toBeGreaterThan(8);
    expect(types.filter((type) => !text.includes(`| \`${type}\``))).toEqual([]);
  });
});

describe('docs/audit.md', () => {
  const { text } = pageAt('docs/audit.md');
  const path = 'src/core/model/session-event.ts';
  /** The rows of its tables, each as its cells. */
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const quoted = (name: string | null) => (name === null ? '' : `\`${name}\``);
  const entryOf = (event: object) => toAuditEntry({ at: new Date(0), ...event } as SessionEvent);

  it('has the level and the vocabulary of every event', () => {
    const types = literalsOf(path, /readonly type: '([\w-]+)'/g).filter((type) => type !== 'refused');
    expect(types.length).toBeGreaterThan(8);
    for (const type of types) {
      const { level, vocabulary } = entryOf({ type });
      expect(rows.map((cells) => cells.slice(0, 3))).toContainEqual(
        [type, level, vocabulary].map((each) => quoted(each)),
      );
    }
  });

  it('has the level and the vocabulary of every refusal', () => {
    const codes = literalsOf(path, /^ {2}\| '(\w+_\w+)'/gm);
    expect(codes.length).toBeGreaterThan(8);
    for (const code of codes) {
      const { level, vocabulary } = entryOf({ type: 'refused', code });
      const row = rows.find(([first, second]) => first?.includes(`\`${code}\``) && second !== '`refused`');
      expect([code, ...(row?.slice(1) ?? [])]).toEqual([code, quoted(level), quoted(vocabulary)]);
    }
  });

  it('names every field, reason and attempt', () => {
    const fields = literalsOf(path, /readonly (\w+)\??:/g).filter(
      (name) => !['type', 'origin'].includes(name),
    );
    const parts = literalsOf(path, /^ {2}\| '([a-z-]+)';?$/gm);
    expect(fields).toContain('createdBefore');
    expect(parts).toEqual(expect.arrayContaining(['reuse', 'mark']));
    const named = ['event', 'level', 'vocabulary', ...fields, ...parts];
    expect(named.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

it.each(['README.md', 'docs/mobile-apps.md'])('%s names every code of a refusal by a session', (path) => {
  const codes = literalsOf('src/core/model/session-event.ts', /^ {2}\| '(\w+_\w+)'/gm).concat(
    'sign_in_failed',
  );
  expect(codes.length).toBeGreaterThan(8);
  expect(codes.filter((code) => !pageAt(path).text.includes(`\`${code}\``))).toEqual([]);
});

describe.each(DOORS)('the docstrings of %s', (door) => {
  const symbols = [...exportsOf(door)];

  it('say of everything that it exports what it is', () => {
    expect(symbols.length).toBeGreaterThan(0);
    const silent = symbols.filter(([, symbol]) => !isDocumented(symbol));
    expect(silent.map(([name]) => name)).toEqual([]);
  });

  it('say of every member what it is', () => {
    const silent = symbols.flatMap(([name, symbol]) =>
      membersOf(symbol)
        .filter((member) => !isDocumented(member))
        .map((member) => `${name}.${member.name}`),
    );
    expect(silent).toEqual([]);
  });
});
