import type { Tree } from '@angular-devkit/schematics';
import { Refusal } from './refusal.js';
import type { Source } from './source.js';

/** What every schematic is told. */
export interface ProjectOptions {
  /** Of the application that is meant: `src`, or `apps/bank/src` in a monorepo. */
  readonly sourceRoot?: string;
}

interface Manifest {
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface NestConfiguration {
  readonly language?: string;
  readonly sourceRoot?: string;
  readonly generateOptions?: { readonly specFileSuffix?: string };
}

/** What has to be known of an application before anything is written into it. */
export interface Project {
  readonly sourceRoot: string;
  /** 11 or 12. */
  readonly nest: number;
  /** What relative imports end with. */
  readonly js: '.js' | '';
  /** As in `auth.spec.ts`. */
  readonly specSuffix: string;
  readonly has: (dependency: string) => boolean;
}

const SUPPORTED: readonly number[] = [11, 12];

/** @throws Refusal */
export function projectOf(tree: Tree, options: ProjectOptions): Project {
  const manifest = readJson<Manifest>(tree, 'package.json');
  if (!manifest) throw new Refusal('There is no package.json here.', 'Go to the folder of the application.');
  const configuration = readJson<NestConfiguration>(tree, 'nest-cli.json') ?? {};
  if (configuration.language === 'js') {
    throw new Refusal('The application is in JavaScript.', 'Follow the README, with decorators by Babel.');
  }
  const dependencies = { ...manifest.devDependencies, ...manifest.dependencies };
  const nest = majorOf(dependencies['@nestjs/common']);
  if (!SUPPORTED.includes(nest)) {
    throw new Refusal(
      `package.json asks for @nestjs/common ${dependencies['@nestjs/common'] ?? 'not at all'}.`,
      `nestjs-sessions runs on Nest ${SUPPORTED.join(' and ')}: take one of them first.`,
    );
  }
  return {
    sourceRoot: options.sourceRoot ?? configuration.sourceRoot ?? 'src',
    nest,
    js: manifest.type === 'module' ? '.js' : '',
    specSuffix: configuration.generateOptions?.specFileSuffix ?? 'spec',
    has: (dependency) => dependency in dependencies,
  };
}

function majorOf(range = ''): number {
  return Number(/\d+/.exec(range)?.[0]);
}

export function readJson<Content>(tree: Tree, path: string): Content | null {
  if (!tree.exists(path)) return null;
  try {
    return tree.readJson(path) as unknown as Content;
  } catch {
    throw new Refusal(`${path} is no JSON that could be read.`, 'Mend it first.');
  }
}

/** Writes a file of JSON that is there anew, indented as it was. */
export function writeJson(tree: Tree, path: string, content: object): void {
  const indentation = /\n([ \t]+)"/.exec(tree.readText(path))?.[1] ?? '  ';
  tree.overwrite(path, `${JSON.stringify(content, null, indentation)}\n`);
}

/** All sources of the application, without tests. */
export function sourcesOf(tree: Tree, { sourceRoot, specSuffix }: Project): Source[] {
  return filesIn(tree, sourceRoot)
    .filter((path) => path.endsWith('.ts') && !path.endsWith(`${specSuffix}.ts`))
    .map((path) => ({ path, text: tree.readText(path) }));
}

/** The paths of all files in a folder, from the root of the project. */
export function filesIn(tree: Tree, folder: string): string[] {
  const paths: string[] = [];
  tree.getDir(folder).visit((path) => {
    paths.push(path.slice(1));
  });
  return paths;
}
