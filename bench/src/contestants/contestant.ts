import type { INestApplication } from '@nestjs/common';

export type Platform = 'express' | 'fastify';
export const PLATFORMS: readonly Platform[] = ['express', 'fastify'];

/** One request header: how a client shows its session. */
export type Header = readonly [name: string, value: string];

/** What a contestant gets to work with. */
export interface Scene {
  readonly platform: Platform;
  /** Sessions in the store. */
  readonly sessions: number;
  /** Those among them that the load uses. */
  readonly live: number;
  /** Makes an empty PostgreSQL database that is dropped at the end. */
  postgres(): Promise<string>;
  /** Makes a folder that is removed at the end. */
  folder(): Promise<string>;
}

/** An application with its sessions, whose `GET /me` answers `{ userId }`. */
export interface Entry {
  readonly app: INestApplication;
  /** The live sessions, in their clients' present state; asked for before each load. */
  credentials(): Promise<readonly Header[]>;
  /** A well-formed session that was never issued; `null` where everybody is let in. */
  readonly forged: Header | null;
  /** Ends the session of this header; `null` where there is no way to. */
  readonly revoke: ((header: Header) => Promise<unknown>) | null;
  close?(): Promise<unknown>;
}

export type Start = (scene: Scene) => Promise<Entry>;
