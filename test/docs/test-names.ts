import { readFileSync } from 'node:fs';
import ts from 'typescript';

/**
 * The names of all tests in a file, as Jest writes them: `a description › the test`. Of `it.each` each case has its own,
 * where the cases are written out as texts, or as rows that begin with one, and the title has a `%s` for it;
 * otherwise the name is the title as it stands there.
 */
export function testNamesIn(path: string): readonly string[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const names: string[] = [];
  const visit = (node: ts.Node, prefix: string): void => {
    const found = ts.isCallExpression(node) ? titlesOf(node) : null;
    if (found === null) return ts.forEachChild(node, (child) => visit(child, prefix));
    for (const title of found.titles) {
      if (found.kind === 'it') names.push(prefix + title);
      else ts.forEachChild(found.body, (child) => visit(child, `${prefix}${title} › `));
    }
  };
  visit(source, '');
  return names;
}

interface Found {
  readonly kind: 'it' | 'describe';
  readonly titles: readonly string[];
  readonly body: ts.Node;
}

/** `it('title', …)`, `describe('title', …)`, and the same with `.each([…])`. */
function titlesOf({ expression, arguments: [title, body] }: ts.CallExpression): Found | null {
  const each = ts.isCallExpression(expression) ? expression : null;
  const called = each ? each.expression : expression;
  const kind = (each && ts.isPropertyAccessExpression(called) ? called.expression : called).getText();
  if ((kind !== 'it' && kind !== 'describe') || !title || !body || !ts.isStringLiteralLike(title))
    return null;
  const cases = each?.arguments[0] && title.text.includes('%s') ? textsOf(each.arguments[0]) : null;
  const titles = cases?.map((text) => title.text.replace('%s', () => text)) ?? [title.text];
  return { kind, titles, body };
}

/** Of a list that stands there or is a constant of the file, or of the keys of a constant. */
function textsOf(given: ts.Expression): readonly string[] | null {
  const table = ts.isCallExpression(given) && given.arguments[0] ? given.arguments[0] : given;
  const list = ts.isIdentifier(table) ? constantOf(table) : table;
  const texts = list && ts.isArrayLiteralExpression(list) ? list.elements.map(textOf) : keysOf(list);
  return texts?.every((text) => text !== null) ? texts : null;
}

function textOf(row: ts.Expression): string | null {
  const first = ts.isArrayLiteralExpression(row) ? row.elements[0] : row;
  return first && ts.isStringLiteralLike(first) ? first.text : null;
}

function keysOf(list: ts.Expression | undefined): (string | null)[] | null {
  if (!list || !ts.isObjectLiteralExpression(list)) return null;
  return list.properties.map(({ name }) => (name && ts.isStringLiteralLike(name) ? name.text : null));
}

function constantOf(name: ts.Identifier): ts.Expression | undefined {
  const declarations = name
    .getSourceFile()
    .statements.filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations]);
  return declarations.find((declaration) => declaration.name.getText() === name.text)?.initializer;
}
