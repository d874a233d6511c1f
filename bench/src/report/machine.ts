import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { administer } from '../application/postgres.js';

const FOLDERS = ['../../node_modules/', '../../../node_modules/'];
const PACKAGES = [
  '@nestjs/core',
  'fastify',
  'express',
  'typeorm',
  'pg',
  'sqlite3',
  'express-session',
  'connect-pg-simple',
  'connect-typeorm',
  'connect-redis',
  'redis',
  '@fastify/session',
  '@nestjs/jwt',
  'better-auth',
];

/** What a figure without would be worth nothing. */
export async function describeMachine(): Promise<string> {
  const processors = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const versions = await Promise.all(PACKAGES.map(async (name) => `${name} ${await versionOf(name)}`));
  return (
    `Measured on ${processors.length} × ${processors[0]?.model ?? 'an unknown processor'}, ${memory} GB of memory; ` +
    `databases and load on the same machine. Node ${process.version.slice(1)}, PostgreSQL ${await postgresVersion()}, ` +
    `${versions.join(', ')}.`
  );
}

async function versionOf(name: string): Promise<string> {
  for (const folder of FOLDERS) {
    const file = new URL(`${folder}${name}/package.json`, import.meta.url);
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text !== null) return (JSON.parse(text) as { version: string }).version;
  }
  throw new Error(`${name} is not installed.`);
}

async function postgresVersion(): Promise<string> {
  const [row] = await administer<{ server_version: string }>('SHOW server_version');
  return row?.server_version.split(' ')[0] ?? '';
}
