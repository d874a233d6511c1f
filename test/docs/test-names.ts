import { readFileSync } from 'node:fs';
import ts from 'typescript';

/**
 * The names of all tests in a file, as Jest writes them: `a description › the test`. Of `it.each` each case has its own,
 * where the cases are written out as a list of texts, or of rows that begin with one, and the title has a `%s` for it;
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

function textsOf(table: ts.Expression): readonly string[] | null {
  if (!ts.isArrayLiteralExpression(table)) return null;
  const firsts = table.elements.map((row) => (ts.isArrayLiteralExpression(row) ? row.elements[0] : row));
  const texts = firsts.map((first) => (first && ts.isStringLiteralLike(first) ? first.text : null));
  return texts.every((text) => text !== null) ? texts : null;
}
