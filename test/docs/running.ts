import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { SQLITE_DRIVER } from '../support/sqlite-driver.js';
import { type Block, fileNameOf, type Page } from './pages.js';

export interface RunOptions {
  /** Blocks that take the place of files of the page. */
  readonly instead?: Readonly<Record<string, Block>>;
  /** Whose `node_modules` bare imports are found in. */
  readonly install?: string;
}

const OF_NODE_TEST = /\{ (?:after, before, describe, )?it \} from 'node:test'/;
const IN_JEST = "{ afterAll as after, beforeAll as before, describe, it } from '@jest/globals'";

/** The files of a page, as they stand there, in a folder of their own. */
export class RunnablePage {
  private constructor(private readonly folder: string) {}

  static async of(page: Page, { instead = {}, install = '.' }: RunOptions = {}): Promise<RunnablePage> {
    // Where neither Git nor the formatter looks.
    const cache = resolve(install, 'node_modules/.cache');
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(join(cache, 'docs-'));
    const named = page.blocks.flatMap((block) => {
      const name = fileNameOf(block);
      return name === null ? [] : [[name, instead[name] ?? block] as const];
    });
    await Promise.all(
      named.map(([name, block]) => writeFile(join(folder, inJavaScript(name)), compile(block, folder))),
    );
    return new RunnablePage(folder);
  }

  /** Runs a file. @returns what it exports */
  async run<Exports>(name: string): Promise<Exports> {
    return (await import(join(this.folder, inJavaScript(name)))) as Exports;
  }

  dispose(): Promise<void> {
    return rm(this.folder, { recursive: true });
  }
}

function inJavaScript(name: string): string {
  return name.replace(/\.ts$/, '.mjs');
}

/**
 * As the reader's compiler does. Only what is around it is other: the database driver that is installed here, database
 * files of our own, and Jest in the place of Node's test runner.
 */
function compile({ code }: Block, folder: string): string {
  const here = code
    .replaceAll("'better-sqlite3'", `'${SQLITE_DRIVER}'`)
    .replaceAll(/'([\w-]+\.sqlite)'/g, (_, file: string) => `'${join(folder, file)}'`)
    .replace(OF_NODE_TEST, IN_JEST);
  const { outputText } = ts.transpileModule(here, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ES2022,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  return outputText;
}
