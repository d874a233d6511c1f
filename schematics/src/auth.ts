import type { Rule, SchematicContext, Tree } from '@angular-devkit/schematics';
import { join } from 'node:path/posix';
import { letJestLoadSessions } from './jest.js';
import { filesIn, type Project, type ProjectOptions, projectOf } from './project.js';
import { Refusal } from './refusal.js';
import { addModule, rootModuleOf } from './root-module.js';
import { importPath } from './source.js';
import { authFiles } from './templates/auth.js';

export interface AuthOptions extends ProjectOptions {
  readonly transport: 'bearer' | 'cookie';
}

/** `nest g -c nestjs-sessions auth`. */
export function auth(options: AuthOptions): Rule {
  return (tree, context) => {
    addAuth(tree, context, projectOf(tree, options), options);
    return tree;
  };
}

/** Adds the folder `auth`, and its module to the root. Where it is there already, it is left as it is. */
export function addAuth(
  tree: Tree,
  context: SchematicContext,
  project: Project,
  { transport }: AuthOptions,
): void {
  const folder = join(project.sourceRoot, 'auth');
  const there = filesIn(tree, folder);
  if (there.some((path) => tree.readText(path).includes('nestjs-sessions'))) return;
  if (there.length > 0) {
    throw new Refusal(
      `There is a folder ${folder} already, without sessions.`,
      'Put @StartSession() and @EndSession() on its sign-in and sign-out, as the README of nestjs-sessions does, and take `nest g -c nestjs-sessions module` for the rest.',
    );
  }
  const files = authFiles({
    transport,
    js: project.js,
    specSuffix: project.specSuffix,
    isValidated: project.has('class-validator'),
  });
  for (const [name, content] of Object.entries(files)) tree.create(join(folder, name), content);
  const root = rootModuleOf(tree, project);
  addModule(tree, root, 'AuthModule', {
    AuthModule: importPath(root.path, join(folder, 'auth.module.ts'), project.js),
  });
  letJestLoadSessions(tree, context, project);
  context.logger.warn(
    `Nobody can sign in until ${folder}/users.service.ts looks users up. Limit how often a password can be tried, with @nestjs/throttler for example.`,
  );
}
