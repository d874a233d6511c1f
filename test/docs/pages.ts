import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What stands between two fences. */
export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

export interface Page {
  /** From the root of the repository, such as `docs/options.md`. */
  readonly path: string;
  readonly text: string;
  /** The same without what stands in fences. */
  readonly prose: string;
  readonly blocks: readonly Block[];
  /** What links to places on this page may name after the `#`. */
  readonly anchors: ReadonlySet<string>;
  /** Targets of links, as they are written. */
  readonly links: readonly string[];
}

/** Indented where it stands in a list. */
const FENCED = /^( *)```(\w*)[^\n]*\n([\s\S]*?)^ *```$/gm;

/** The README, and every page under `docs`. */
export const PAGES: readonly Page[] = [
  'README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
].map(readPage);

/** Their examples need packages that are not those of the root, and are compiled where they are run. */
export const PAGES_WITH_PROVIDERS: readonly string[] = ['docs/passport.md', 'docs/provider-sign-in.md'];

export function pageAt(path: string): Page {
  const page = PAGES.find((candidate) => candidate.path === path);
  if (!page) throw new Error(`There is no page ${path}.`);
  return page;
}

function readPage(path: string): Page {
  const text = readFileSync(path, 'utf8');
  const prose = text.replaceAll(FENCED, '');
  const blocks = [...text.matchAll(FENCED)].map(
    ({ 1: indent = '', 2: language = '', 3: code = '', index }) => ({
      page: path,
      line: text.slice(0, index).split('\n').length + 1,
      language,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
  const links = [...prose.matchAll(/(?<!!)\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return { path, text, prose, blocks, anchors: anchorsIn(prose), links };
}

/** As GitHub makes them of headings. */
function anchorsIn(prose: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

/** The file that a block says it is in its first line (`// tenant.guard.ts`), or `null`. */
export function fileNameOf({ code }: Block): string | null {
  return /^\/\/ ([\w./-]+\.ts)$/m.exec(code.split('\n')[0] ?? '')?.[1] ?? null;
}
