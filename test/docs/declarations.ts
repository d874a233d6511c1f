import { resolve } from 'node:path';
import ts from 'typescript';

/** What `nestjs-sessions` and its subpaths export: the files that users' imports lead to. */
export const DOORS = [
  'src/index.ts',
  'src/testing/index.ts',
  'src/client/index.ts',
  'src/openapi/index.ts',
  'src/cls/index.ts',
  'src/terminus/index.ts',
  'src/opentelemetry/index.ts',
] as const;

const PRIVATE = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;

let program: ts.Program | null = null;

/** The project as its own compiler settings see it. */
function projectOf(): ts.Program {
  if (program) return program;
  const { config } = ts.readConfigFile('tsconfig.build.json', (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, resolve('.'));
  program = ts.createProgram([...DOORS], options);
  return program;
}

/** The exported symbols of a file, by name. */
export function exportsOf(path: string): ReadonlyMap<string, ts.Symbol> {
  const checker = projectOf().getTypeChecker();
  const module = checker.getSymbolAtLocation(projectOf().getSourceFile(path) as ts.SourceFile);
  if (!module) throw new Error(`${path} exports nothing.`);
  return new Map(
    checker
      .getExportsOfModule(module)
      .map((symbol) => [
        symbol.name,
        symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
      ]),
  );
}

/** The members that a class or an interface declares itself and that everybody may use. */
export function membersOf(symbol: ts.Symbol): ts.Symbol[] {
  const checker = projectOf().getTypeChecker();
  const declared = (symbol.declarations ?? []).flatMap((declaration) => {
    if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) return [];
    const members: readonly (ts.ClassElement | ts.TypeElement)[] = declaration.members;
    const properties = members.filter(ts.isConstructorDeclaration).flatMap(({ parameters }) => parameters);
    return [...members, ...properties.filter(isParameterProperty)].filter(
      (member) =>
        !(ts.getCombinedModifierFlags(member) & PRIVATE) &&
        !ts.isConstructorDeclaration(member) &&
        !ts.isIndexSignatureDeclaration(member),
    );
  });
  const symbols = declared.flatMap(({ name }) => (name && checker.getSymbolAtLocation(name)) ?? []);
  return [...new Set(symbols)];
}

function isParameterProperty(parameter: ts.ParameterDeclaration): boolean {
  return ts.isParameterPropertyDeclaration(parameter, parameter.parent);
}

/** The text of its comment for users. */
export function commentOn(symbol: ts.Symbol): string {
  const parts = symbol.getDocumentationComment(projectOf().getTypeChecker());
  return parts.map(({ text }) => text).join('');
}

/** Whether a comment for users stands before it, or before what it implements or overrides. */
export function isDocumented(symbol: ts.Symbol): boolean {
  return symbol.getDocumentationComment(projectOf().getTypeChecker()).length > 0;
}
