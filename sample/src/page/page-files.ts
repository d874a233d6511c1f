import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

export interface PageFile {
  readonly content: string;
  readonly type: string;
  readonly etag: string;
}

const PAGE = new URL('../../public/', import.meta.url);
/** Of the library. Browsers take it as it is. */
const CLIENT = new URL('.', import.meta.resolve('nestjs-sessions/client'));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** All that there is to be had, read at the start: no path from a request ever reaches the disk. */
export const pageFiles: ReadonlyMap<string, PageFile> = new Map([
  ...filesIn(PAGE, /./),
  ...filesIn(CLIENT, /\.js$/, 'client/'),
]);

function filesIn(folder: URL, wanted: RegExp, prefix = ''): [string, PageFile][] {
  const names = readdirSync(folder).filter((name) => wanted.test(name));
  return names.map((name) => [prefix + name, read(new URL(name, folder))]);
}

function read(file: URL): PageFile {
  const content = readFileSync(file, 'utf8');
  const etag = `"${createHash('sha256').update(content).digest('base64url')}"`;
  return { content, etag, type: TYPES[extname(file.pathname)] ?? 'text/plain; charset=utf-8' };
}
