import type { Tree } from '@angular-devkit/schematics';
import type ts from 'typescript';
import { dirname, join } from 'node:path/posix';
import { compiler } from './compiler.js';
import { addToImports } from './module-imports.js';
import type { Project } from './project.js';
import { Refusal } from './refusal.js';
import { importing, names, nodesOf, parse, type Source } from './source.js';

export interface RootModule {
  readonly path: string;
  readonly className: string;
}

/**
 * The module that `main.ts` gives to `NestFactory.create`.
 * @throws Refusal
 */
export function rootModuleOf(tree: Tree, { sourceRoot }: Project): RootModule {
  const path = join(sourceRoot, 'main.ts');
  if (!tree.exists(path)) {
    throw new Refusal(
      `There is no ${path}.`,
      'Name the folder of the application that is meant, for example with --source-root=apps/bank/src.',
    );
  }
  const main = { path, text: tree.readText(path) };
  const className = createdIn(main);
  const from = className && importedFrom(main, className);
  const found = from && join(dirname(path), `${from.replace(/\.js$/, '')}.ts`);
  if (className && found && tree.exists(found)) return { path: found, className };
  throw new Refusal(
    `${path} does not say which module is the root.`,
    'Write `NestFactory.create(AppModule)` there, with AppModule imported by a relative path.',
  );
}

/** `AppModule` of `NestFactory.create(AppModule)`, also with a type argument or another platform. */
function createdIn(main: Source): string | undefined {
  const { isCallExpression, isIdentifier } = compiler();
  const call = nodesOf(parse(main), isCallExpression).find(
    ({ expression }) => expression.getText() === 'NestFactory.create',
  );
  const module = call?.arguments[0];
  return module && isIdentifier(module) ? module.text : undefined;
}

function importedFrom(main: Source, name: string): string | undefined {
  const declaration = parse(main)
    .statements.filter(compiler().isImportDeclaration)
    .find((candidate) => names(candidate).includes(name));
  const from = declaration && (declaration.moduleSpecifier as ts.StringLiteral).text;
  return from?.startsWith('.') ? from : undefined;
}

/** Adds a module to the imports of the root, with what has to be imported for it. */
export function addModule(
  tree: Tree,
  { path, className }: RootModule,
  module: string,
  imports: Readonly<Record<string, string>>,
): void {
  const declared = addToImports({ path, text: tree.readText(path) }, className, [module]);
  const complete = Object.entries(imports).reduce(
    (text, [name, from]) => importing({ path, text }, name, from),
    declared,
  );
  tree.overwrite(path, complete);
}
