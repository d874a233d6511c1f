import type { SchematicContext, Tree } from '@angular-devkit/schematics';
import { type Project, readJson, writeJson } from './project.js';

/** With Nest 11 Jest runs in CommonJS, whose `require` there cannot load ES modules: it has to compile these two. */
const COMPILED = '/node_modules/(?!(nestjs-sessions|uuid)/)';

interface JestManifest {
  readonly jest?: { readonly transformIgnorePatterns?: readonly string[] };
}

/** Lets the Jest that the Nest CLI set up for Nest 11 load this package. Other set-ups are told what to do. */
export function letJestLoadSessions(tree: Tree, context: SchematicContext, { nest, has }: Project): void {
  if (nest !== 11 || !has('jest')) return;
  const manifest = readJson<JestManifest>(tree, 'package.json') ?? {};
  if (manifest.jest && !manifest.jest.transformIgnorePatterns) {
    writeJson(tree, 'package.json', {
      ...manifest,
      jest: { ...manifest.jest, transformIgnorePatterns: [COMPILED] },
    });
  } else if (
    !manifest.jest?.transformIgnorePatterns?.some((pattern) => pattern.includes('nestjs-sessions'))
  ) {
    context.logger.warn(
      `Jest has to compile nestjs-sessions: give it the transformIgnorePatterns ["${COMPILED}"].`,
    );
  }
}
