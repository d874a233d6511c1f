import type { SchematicContext, Tree } from '@angular-devkit/schematics';
import type * as Tasks from '@angular-devkit/schematics/tasks';
import { createRequire } from 'node:module';
import { type Project, readJson, writeJson } from './project.js';

export type Database = 'sqlite' | 'postgres' | 'mysql';

/** With versions that TypeORM 0.3 and 1.x both take. */
const DRIVERS: Readonly<Record<Database, Readonly<Record<string, string>>>> = {
  sqlite: { 'better-sqlite3': '^12.0.0' },
  postgres: { pg: '^8.5.1' },
  mysql: { mysql2: '^3.15.3' },
};

interface Dependent {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Adds TypeORM to package.json, in the version that goes with the application's Nest, and has it installed. */
export function addTypeOrm(
  tree: Tree,
  context: SchematicContext,
  project: Project,
  database: Database,
): void {
  const wanted = { '@nestjs/typeorm': `^${project.nest}.0.0`, typeorm: '^1.0.0', ...DRIVERS[database] };
  if (Object.keys(wanted).every(project.has)) return;
  const manifest = readJson<Dependent>(tree, 'package.json') ?? {};
  const dependencies = Object.entries({ ...wanted, ...manifest.dependencies });
  const sorted = dependencies.toSorted(([one], [other]) => (one < other ? -1 : 1));
  writeJson(tree, 'package.json', { ...manifest, dependencies: Object.fromEntries(sorted) });
  const { NodePackageInstallTask } = runningDevkit();
  context.addTask(new NodePackageInstallTask());
}

/** Of the program that runs this: a strict package manager shows it to nobody else. */
function runningDevkit(): typeof Tasks {
  return createRequire(process.argv[1] ?? '')('@angular-devkit/schematics/tasks') as typeof Tasks;
}
