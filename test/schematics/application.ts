import type { Rule, SchematicContext, Tree } from '@angular-devkit/schematics';

/** What schematics use of the files of an application. That of the devkit is an ES module, which they need not load. */
export class FakeTree {
  private readonly files: Map<string, string>;

  constructor(files: Readonly<Record<string, string>>) {
    this.files = new Map(Object.entries(files));
  }

  /** All that is there, by path. */
  get content(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.files].toSorted(([one], [other]) => (one < other ? -1 : 1)));
  }

  exists(path: string): boolean {
    return this.files.has(path);
  }

  readText(path: string): string {
    const text = this.files.get(path);
    if (text === undefined) throw new Error(`There is no ${path}.`);
    return text;
  }

  readJson(path: string): unknown {
    return JSON.parse(this.readText(path));
  }

  create(path: string, content: string): void {
    if (this.exists(path)) throw new Error(`${path} is there already.`);
    this.files.set(path, content);
  }

  overwrite(path: string, content: string): void {
    this.readText(path);
    this.files.set(path, content);
  }

  getDir(folder: string) {
    const paths = [...this.files.keys()].filter((path) => path.startsWith(`${folder}/`));
    return { visit: (visitor: (path: string) => void) => paths.forEach((path) => visitor(`/${path}`)) };
  }
}

export interface Outcome {
  readonly warnings: readonly string[];
  /** How often packages are installed afterwards. */
  readonly installs: number;
}

/** Runs one schematic, as the command line does. */
export function run(rule: Rule, tree: FakeTree): Outcome {
  const warnings: string[] = [];
  let installs = 0;
  const context = {
    logger: { warn: (text: string) => warnings.push(text) },
    addTask: () => (installs += 1),
  };
  rule(tree as unknown as Tree, context as unknown as SchematicContext);
  return { warnings, installs };
}

export const PACKAGE = {
  name: 'bank',
  type: 'module',
  dependencies: { '@nestjs/common': '^12.0.1', '@nestjs/core': '^12.0.1' },
};

export const MODULE = `import { Module } from '@nestjs/common';
import { AppController } from './app.controller.js';

@Module({
  imports: [],
  controllers: [AppController],
})
export class AppModule {}
`;

const FRESH: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify(PACKAGE, null, 2),
  'nest-cli.json': JSON.stringify({ sourceRoot: 'src' }),
  'src/app.module.ts': MODULE,
  'src/main.ts': `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule);
await app.listen(3000);
`,
};

/** An application, as the Nest CLI makes it, with changes: `null` takes a file away. */
export function application(changes: Readonly<Record<string, string | null>> = {}): FakeTree {
  const files = Object.entries({ ...FRESH, ...changes });
  return new FakeTree(Object.fromEntries(files.filter((file): file is [string, string] => file[1] !== null)));
}
