import type { Rule, Tree } from '@angular-devkit/schematics';
import { basename, dirname, join } from 'node:path/posix';
import { filesIn, type Project, type ProjectOptions, projectOf, sourcesOf } from './project.js';
import { Refusal } from './refusal.js';
import { migrationFile } from './templates/migration.js';

export interface MigrationOptions extends ProjectOptions {
  readonly migrations?: string;
}

export const CLASS = 'CreateSessions1767225600000';
/** In a data source that lists the class itself: TypeORM would find it twice. */
const IMPORTED = new RegExp(
  `^import\\s*\\{[^}]*\\b${CLASS}\\b[^}]*\\}\\s*from\\s*['"]nestjs-sessions/migrations`,
  'm',
);
const FILE = '1767225600000-create-sessions.ts';

/** `nest g -c nestjs-sessions migration`. */
export function migration(options: MigrationOptions): Rule {
  return (tree) => {
    addMigration(tree, projectOf(tree, options), options);
    return tree;
  };
}

/** Adds the migration where no file has it yet. @returns its path; `null` where it is taken from the package itself */
export function addMigration(tree: Tree, project: Project, { migrations }: MigrationOptions): string | null {
  const folder = migrations ?? folderOf(tree, project);
  const there = filesIn(tree, folder).find(
    (path) => path.endsWith('.ts') && tree.readText(path).includes(CLASS),
  );
  if (there !== undefined) return there;
  if (sourcesOf(tree, project).some(({ text }) => IMPORTED.test(text))) return null;
  const path = join(folder, FILE);
  tree.create(path, migrationFile(CLASS));
  return path;
}

/** The folder of migrations that there is, wherever it is among the sources or beside them. */
function folderOf(tree: Tree, { sourceRoot }: Project): string {
  const files = [...filesIn(tree, sourceRoot), ...filesIn(tree, 'migrations')];
  const folders = new Set(
    files.map((path) => dirname(path)).filter((path) => basename(path) === 'migrations'),
  );
  if (folders.size > 1) {
    throw new Refusal(
      `There are several folders of migrations: ${[...folders].join(', ')}.`,
      'Say which one is meant, with --migrations=<folder>.',
    );
  }
  return [...folders][0] ?? join(sourceRoot, 'migrations');
}
