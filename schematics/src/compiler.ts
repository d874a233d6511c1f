import { createRequire } from 'node:module';
import { join } from 'node:path';
import type ts from 'typescript';
import { Refusal } from './refusal.js';

type Compiler = typeof ts;

/** Where a compiler may be: the application's own, and that of the command line which runs this. */
const PLACES = [join(process.cwd(), 'package.json'), process.argv[1] ?? ''];

let found: Compiler | undefined;

/** TypeScript as the application has it. This package brings none along. */
export function compiler(): Compiler {
  found ??= PLACES.map(typescriptAt).find((candidate) => candidate?.createSourceFile !== undefined);
  if (!found) {
    throw new Refusal(
      'There is no TypeScript that could read the modules of the application.',
      'Install one whose API can be called from JavaScript: npm install --save-dev typescript@6.',
    );
  }
  return found;
}

function typescriptAt(place: string): Compiler | undefined {
  try {
    return createRequire(place)('typescript') as Compiler;
  } catch {
    return undefined;
  }
}
