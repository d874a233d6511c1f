import type ts from 'typescript';
import { compiler } from './compiler.js';
import { Refusal } from './refusal.js';
import { insert, nodesOf, parse, type Source } from './source.js';

/**
 * Adds modules to the `imports` of the class's `@Module`, behind those that are there.
 * @throws Refusal where the decorator is not written out as an object with an array
 */
export function addToImports(source: Source, className: string, added: readonly string[]): string {
  const file = parse(source);
  const metadata = metadataOf(file, className, source.path);
  const list = importsOf(metadata, source.path);
  if (list === undefined) {
    const text = `\n  imports: [${lines(added)}\n  ],`;
    return insert(source.text, [{ at: metadata.getStart() + 1, text }]);
  }
  const last = list.elements.at(-1);
  if (last === undefined)
    return insert(source.text, [{ at: list.getStart() + 1, text: `${lines(added)}\n  ` }]);
  if (!source.text.slice(list.getStart(), list.getEnd()).includes('\n'))
    return insert(source.text, [{ at: last.getEnd(), text: `, ${added.join(', ')}` }]);
  const { elements } = list;
  // A comment at the end of the last line stays with what it is about.
  const behind = elements.hasTrailingComma ? elements.end : last.getEnd();
  const comments = compiler().getTrailingCommentRanges(source.text, behind) ?? [];
  return insert(source.text, [
    ...(elements.hasTrailingComma ? [] : [{ at: last.getEnd(), text: ',' }]),
    { at: comments.at(-1)?.end ?? behind, text: lines(added) },
  ]);
}

function lines(modules: readonly string[]): string {
  return modules.map((module) => `\n    ${module},`).join('');
}

/** The object of `@Module({ … })`. */
function metadataOf(file: ts.SourceFile, className: string, path: string): ts.ObjectLiteralExpression {
  const {
    canHaveDecorators,
    getDecorators,
    isCallExpression,
    isClassDeclaration,
    isObjectLiteralExpression,
  } = compiler();
  const declared = nodesOf(file, isClassDeclaration).find(({ name }) => name?.text === className);
  const decorators = declared && canHaveDecorators(declared) ? (getDecorators(declared) ?? []) : [];
  const call = decorators
    .map(({ expression }) => expression)
    .filter(isCallExpression)
    .find(({ expression }) => expression.getText() === 'Module');
  const metadata = call?.arguments[0];
  if (metadata && isObjectLiteralExpression(metadata)) return metadata;
  throw new Refusal(
    `${path} has no class ${className} with @Module({ … }) written out.`,
    'Write the object into the decorator, or add SessionModule.forRoot() to its imports by hand.',
  );
}

function importsOf(
  metadata: ts.ObjectLiteralExpression,
  path: string,
): ts.ArrayLiteralExpression | undefined {
  const { isArrayLiteralExpression, isPropertyAssignment, isSpreadAssignment } = compiler();
  const property = metadata.properties.find((candidate) => candidate.name?.getText() === 'imports');
  if (property === undefined && !metadata.properties.some(isSpreadAssignment)) return undefined;
  if (property && isPropertyAssignment(property) && isArrayLiteralExpression(property.initializer))
    return property.initializer;
  throw new Refusal(
    `The imports of the module in ${path} are not written out as an array.`,
    'Write `imports: [ … ]` there, with `...modules` in it where they come from elsewhere.',
  );
}
