import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import ts from 'typescript';

const ENTRIES = 'dist/entries';

/** What the classes of a file are called when it runs. */
function classesOf(file: string): string[] {
  const names: string[] = [];
  function visit(node: ts.Node): void {
    if (ts.isClassLike(node)) names.push(nameOf(node));
    ts.forEachChild(node, visit);
  }
  visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true));
  return names;
}

function nameOf({ name, parent }: ts.ClassLikeDeclaration): string {
  if (name) return name.text;
  return ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name) ? parent.name.text : '';
}

function filesOf(folder: string, end: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith(end)).map((file) => join(folder, file));
}

it('classes are called what they are called in the sources', () => {
  const written = new Set(filesOf('src', '.ts').flatMap(classesOf));
  const bundled = filesOf(ENTRIES, '.js').flatMap(classesOf);
  expect(bundled).toContain('SessionGuard');
  expect(bundled.filter((name) => !written.has(name))).toEqual([]);
});

it('each class is in one file, however many entry points share it', () => {
  const bundled = filesOf(ENTRIES, '.js').flatMap(classesOf).filter(Boolean);
  expect(bundled.toSorted()).toEqual([...new Set(bundled)].toSorted());
});
