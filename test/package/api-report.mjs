// Writes down what users can rely on: `api/<entry point>.d.ts` for each entry point of package.json, made from `dist`.
// With `--check` it changes nothing, and fails where a file is not what it would be.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';

const REPORTS = 'api';
const DIST = resolve('dist') + sep;
const isCheck = process.argv.includes('--check');

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
/** The declarations of each entry point, by the specifier that users import. */
const doors = new Map(
  Object.entries(manifest.exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([subpath, { types }]) => [manifest.name + subpath.slice(1), resolve(types)]),
);
const program = ts.createProgram([...doors.values()], {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  types: ['node'],
  skipLibCheck: true,
});
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true });

/** What an import leads to in the end. */
function targetOf(symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** What an entry point exports, and by which name. */
function exportsOf(door) {
  const file = program.getSourceFile(door);
  if (!file) throw new Error(`${door} is not there. Run \`npm run build\` first.`);
  const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(file));
  return new Map(symbols.map((symbol) => [targetOf(symbol), symbol.name]));
}

const exportsOfMain = exportsOf(doors.get(manifest.name));

/** Its declarations in `dist`; none of a parameter, a member, and what another package declares. */
function declarationsOf({ declarations = [] }) {
  return declarations.filter((declaration) => {
    const { parent } = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
    return ts.isSourceFile(parent) && parent.fileName.startsWith(DIST);
  });
}

/** The other package that an imported name comes from. */
function packageOf({ declarations = [] }) {
  const from = declarations.find(ts.isImportSpecifier)?.parent.parent.parent.moduleSpecifier.text;
  return from?.startsWith('.') ? undefined : from;
}

/** A declaration without the members that are not for users: they are `private`, or say `@internal`. */
function shown(node) {
  const isMember = ts.isClassElement(node) || ts.isTypeElement(node);
  const isPrivate = isMember && (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0;
  const isInternal = isMember && ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal');
  return isPrivate || isInternal ? undefined : ts.visitEachChild(node, shown, undefined);
}

/** The symbols that a declaration names. */
function namesIn(node) {
  const symbol = ts.isIdentifier(node) && checker.getSymbolAtLocation(ts.getOriginalNode(node));
  const inside = [];
  ts.forEachChild(node, (child) => void inside.push(...namesIn(child)));
  return symbol ? [symbol, ...inside] : inside;
}

/** Everything that an entry point exports, and whatever else that names. */
function reportOf(door) {
  const exported = exportsOf(door);
  const imports = new Map();
  const texts = new Map();

  function noteImport(from, name) {
    imports.set(from, (imports.get(from) ?? new Set()).add(name));
  }
  function follow(named) {
    const target = targetOf(named);
    const from = packageOf(named);
    if (from) noteImport(from, named.name);
    else if (exportsOfMain.has(target) && !exported.has(target))
      noteImport(manifest.name, exportsOfMain.get(target));
    else declare(target);
  }
  function declare(symbol) {
    const declarations = declarationsOf(symbol);
    if (declarations.length === 0 || texts.has(symbol)) return;
    texts.set(symbol, '');
    const lines = declarations.map((declaration) => {
      const node = shown(declaration);
      namesIn(node).forEach(follow);
      const text = printer.printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile());
      const start = exported.has(symbol) ? 'export ' : '';
      return ts.isVariableDeclaration(node)
        ? `${start}declare const ${text};`
        : text.replace(/^(export )?/, start);
    });
    texts.set(symbol, lines.join('\n'));
  }
  for (const symbol of exported.keys()) declare(symbol);

  const nameOf = (symbol) => exported.get(symbol) ?? symbol.name;
  const declared = [...texts].toSorted(([one], [other]) => (nameOf(one) < nameOf(other) ? -1 : 1));
  const inner = declared.filter(([symbol]) => !exported.has(symbol));
  return [
    ...[...imports]
      .toSorted()
      .map(([from, names]) => `import type { ${[...names].toSorted().join(', ')} } from '${from}';`),
    ...declared.filter(([symbol]) => exported.has(symbol)).map(([, text]) => text),
    ...(inner.length > 0 ? ['// Not exported, but named by what is.'] : []),
    ...inner.map(([, text]) => text),
  ].join('\n\n');
}

const style = { ...(await resolveConfig('package.json')), parser: 'typescript' };
const wanted = new Map();
for (const [specifier, door] of doors) {
  const name = specifier === manifest.name ? 'index' : specifier.slice(manifest.name.length + 1);
  wanted.set(`${name}.d.ts`, await format(reportOf(door), style));
}

mkdirSync(REPORTS, { recursive: true });
const stale = readdirSync(REPORTS).filter((file) => !wanted.has(file));
const changed = [...wanted].filter(([file, text]) => {
  const path = join(REPORTS, file);
  return !existsSync(path) || readFileSync(path, 'utf8') !== text;
});
if (isCheck && stale.length + changed.length > 0) {
  const files = [...stale, ...changed.map(([file]) => file)].map((file) => join(REPORTS, file));
  process.stderr.write(
    `The public surface is not what ${files.join(', ')} says. See "What is public" in CONTRIBUTING.md; where the change ` +
      'is meant, run `npm run api` and commit what it has written.\n',
  );
  process.exitCode = 1;
} else if (!isCheck) {
  for (const file of stale) rmSync(join(REPORTS, file));
  for (const [file, text] of changed) writeFileSync(join(REPORTS, file), text);
}
