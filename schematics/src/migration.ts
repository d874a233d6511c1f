import type { Rule, Tree } from '@angular-devkit/schematics';
import { basename, dirname, join } from 'node:path/posix';
import { filesIn, type Project, type ProjectOptions, projectOf } from './project.js';
import { Refusal } from './refusal.js';
import { migrationFile } from './templates/migration.js';

export interface MigrationOptions extends ProjectOptions {
  readonly migrations?: string;
}

const CLASS = 'CreateSessions1767225600000';
const FILE = '1767225600000-create-sessions.ts';

/** `nest g -c nestjs-sessions migration`. */
export function migration(options: MigrationOptions): Rule {
  return (tree) => {
    addMigration(tree, projectOf(tree, options), options);
    return tree;
  };
}

/** Adds the migration where no file has it yet. @returns its path */
export function addMigration(tree: Tree, project: Project, { migrations }: MigrationOptions): string {
  const folder = migrations ?? folderOf(tree, project);
  const there = filesIn(tree, folder).find(
    (path) => path.endsWith('.ts') && tree.readText(path).includes(CLASS),
  );
  if (there !== undefined) return there;
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
