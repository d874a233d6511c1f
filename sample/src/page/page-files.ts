import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

export interface PageFile {
  readonly content: string;
  readonly type: string;
  readonly etag: string;
}

const FOLDER = new URL('../../public/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** All that there is to be had, read at the start: no path from a request ever reaches the disk. */
export const pageFiles: ReadonlyMap<string, PageFile> = new Map(
  readdirSync(FOLDER).map((name) => [name, read(name)]),
);

function read(name: string): PageFile {
  const content = readFileSync(new URL(name, FOLDER), 'utf8');
  const etag = `"${createHash('sha256').update(content).digest('base64url')}"`;
  return { content, etag, type: TYPES[extname(name)] ?? 'text/plain; charset=utf-8' };
}
