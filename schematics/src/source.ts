import { dirname, relative } from 'node:path/posix';
import type ts from 'typescript';
import { compiler } from './compiler.js';

/** One source file of the application. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

export interface Insertion {
  readonly at: number;
  readonly text: string;
}

export function parse({ path, text }: Source): ts.SourceFile {
  const { createSourceFile, ScriptTarget } = compiler();
  return createSourceFile(path, text, ScriptTarget.Latest, true);
}

/** Puts texts in, in the spelling of line ends that the file has. Nothing else of it changes. */
export function insert(text: string, insertions: readonly Insertion[]): string {
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  return insertions
    .toSorted((one, other) => one.at - other.at)
    .reduceRight(
      (result, { at, text: added }) =>
        result.slice(0, at) + added.replaceAll('\n', lineEnd) + result.slice(at),
      text,
    );
}

/** Every node of a file that a test holds for. */
export function nodesOf<Node extends ts.Node>(root: ts.Node, is: (node: ts.Node) => node is Node): Node[] {
  const nodes: Node[] = [];
  const look = (node: ts.Node): void => {
    if (is(node)) nodes.push(node);
    compiler().forEachChild(node, look);
  };
  look(root);
  return nodes;
}

/** Whether a module is configured: `TypeOrmModule.forRoot(…)` is called. Comments and texts do not count. */
export function isConfigured(source: Source, module: string): boolean {
  if (!source.text.includes(module)) return false;
  const methods = new Set([`${module}.forRoot`, `${module}.forRootAsync`]);
  return nodesOf(parse(source), compiler().isCallExpression).some((call) =>
    methods.has(call.expression.getText()),
  );
}

/** Adds `import { name } from 'from'` behind the imports that are there. */
export function importing(source: Source, name: string, from: string): string {
  const { isImportDeclaration } = compiler();
  const imports = parse(source).statements.filter(isImportDeclaration);
  const line = `import { ${name} } from '${from}';`;
  if (imports.some((declaration) => names(declaration).includes(name))) return source.text;
  const last = imports.at(-1);
  return last
    ? insert(source.text, [{ at: last.getEnd(), text: `\n${line}` }])
    : insert(source.text, [{ at: 0, text: `${line}\n` }]);
}

/** What a declaration imports by name. */
export function names({ importClause }: ts.ImportDeclaration): string[] {
  const bindings = importClause?.namedBindings;
  return bindings && compiler().isNamedImports(bindings)
    ? bindings.elements.map(({ name }) => name.text)
    : [];
}

/** How one file of the application imports another one. `js` is what relative imports end with. */
export function importPath(from: string, to: string, js: string): string {
  const path = relative(dirname(from), to.replace(/\.ts$/, js));
  return path.startsWith('.') ? path : `./${path}`;
}
