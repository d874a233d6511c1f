import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scene } from '../contestants/contestant.js';
import { administer, POSTGRES_URL } from './postgres.js';

/** Databases and folders of one application, which are gone when it has ended. */
export class OwnScene implements Scene {
  private readonly cleanUps: (() => Promise<unknown>)[] = [];

  constructor(
    readonly platform: Scene['platform'],
    readonly sessions: number,
    readonly live: number,
  ) {}

  async postgres(): Promise<string> {
    const name = `bench_${randomBytes(6).toString('hex')}`;
    await administer(`CREATE DATABASE ${name}`);
    this.cleanUps.push(() => administer(`DROP DATABASE ${name} WITH (FORCE)`));
    const url = new URL(POSTGRES_URL);
    url.pathname = name;
    return url.href;
  }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'nestjs-sessions-bench-'));
    this.cleanUps.push(() => rm(folder, { recursive: true }));
    return folder;
  }

  async clear(): Promise<void> {
    for (const cleanUp of this.cleanUps.splice(0)) await cleanUp();
  }
}
