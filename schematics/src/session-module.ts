import type { Rule, SchematicContext, Tree } from '@angular-devkit/schematics';
import { join } from 'node:path/posix';
import { addTypeOrm, type Database } from './dependencies.js';
import { addMigration, CLASS, type MigrationOptions } from './migration.js';
import { type Project, projectOf, sourcesOf } from './project.js';
import { Refusal } from './refusal.js';
import { addModule, type RootModule, rootModuleOf } from './root-module.js';
import { importPath, isConfigured } from './source.js';
import { databaseFile } from './templates/database.js';

export interface SessionModuleOptions extends MigrationOptions {
  readonly database: Database;
  readonly transport: 'bearer' | 'cookie';
  readonly securityLevel: 'low' | 'medium' | 'high';
}

/** `nest g -c nestjs-sessions module`. */
export function sessionModule(options: SessionModuleOptions): Rule {
  return (tree, context) => {
    addSessionModule(tree, context, projectOf(tree, options), options);
    return tree;
  };
}

/** Where the module is configured already, in the root or elsewhere, it is left as it is. */
export function addSessionModule(
  tree: Tree,
  context: SchematicContext,
  project: Project,
  options: SessionModuleOptions,
): void {
  const sources = sourcesOf(tree, project);
  const isThere = (module: string) => sources.some((source) => isConfigured(source, module));
  const root = rootModuleOf(tree, project);
  const migration = addMigration(tree, project, options);
  if (isThere('SessionModule')) return;
  if (isThere('TypeOrmModule')) {
    context.logger.warn(
      `TypeOrmModule is there, so that two things are left to you: \`autoLoadEntities: true\`, or ...sessionEntities in its entities; and ${migration ?? CLASS} in its migrations. Without them the application does not start, and says which it is.`,
    );
  } else {
    addDatabase(tree, project, root, options.database, migration);
    addTypeOrm(tree, context, project, options.database);
  }
  const { securityLevel, transport } = options;
  const call = `SessionModule.forRoot({ securityLevel: '${securityLevel}', transport: '${transport}' })`;
  addModule(tree, root, call, { SessionModule: 'nestjs-sessions' });
  context.logger.warn('From now on every route needs a session. Put @Public() on those that need none.');
}

function addDatabase(
  tree: Tree,
  { sourceRoot, js }: Project,
  root: RootModule,
  database: Database,
  migration: string | null,
): void {
  const path = join(sourceRoot, 'database.ts');
  if (tree.exists(path)) {
    throw new Refusal(
      `There is a file ${path}, and no TypeOrmModule.forRoot() that would use it.`,
      'Give it another name, or configure TypeOrmModule first.',
    );
  }
  const from = migration === null ? 'nestjs-sessions/migrations' : importPath(path, migration, js);
  tree.create(path, databaseFile(database, from));
  addModule(tree, root, 'TypeOrmModule.forRootAsync({ useFactory: database })', {
    TypeOrmModule: '@nestjs/typeorm',
    database: importPath(root.path, path, js),
  });
}
