import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

const DOCUMENT = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url));
const PLOT = fileURLToPath(new URL('../../../docs/performance.svg', import.meta.url));

export type SectionName =
  | 'comparison'
  | 'purge'
  | 'growth'
  | 'flood'
  | 'memory'
  | 'revocation'
  | 'sockets'
  | 'contention'
  | 'large-user'
  | 'boot'
  | 'touches'
  | 'sign-ins'
  | 'nodes-hits'
  | 'nodes-memory'
  | 'nodes-latency'
  | 'nodes-database';

/** Puts a result between its markers in the document; the prose around it stays. */
export async function writeSection(name: SectionName, markdown: string): Promise<void> {
  const text = await readFile(DOCUMENT, 'utf8');
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from === -1 || to < from)
    throw new Error(`docs/performance.md has no section between ${start} and ${end}.`);
  const changed = `${text.slice(0, from + start.length)}\n\n${markdown.trim()}\n\n${text.slice(to)}`;
  const config = await resolveConfig(DOCUMENT);
  await writeFile(DOCUMENT, await format(changed, { ...config, filepath: DOCUMENT }));
}

export async function writePlot(svg: string): Promise<void> {
  await writeFile(PLOT, svg);
}
