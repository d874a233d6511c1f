import type { Header, Platform } from '../contestants/contestant.js';

/** What an application's process is started with. */
export interface Assignment {
  readonly id: string;
  readonly platform: Platform;
  readonly sessions: number;
  readonly live: number;
}

export interface Usage {
  /** Of the process since its start, in microseconds. */
  readonly cpu: number;
  readonly queries: number;
  /** Resident memory in bytes. */
  readonly rss: number;
}

/** A function that was inlined nowhere, with the time spent in itself. */
export interface ProfiledFunction {
  readonly name: string;
  readonly place: string;
  /** Of the profiled time that was not idle, 0 to 1. */
  readonly share: number;
}

/** What the parent process can ask of an application. */
export interface Tasks {
  credentials(): Promise<readonly Header[]>;
  forged(): Header | null;
  revoke(header: Header): Promise<boolean>;
  usage(): Usage;
  startProfile(): Promise<void>;
  stopProfile(file: string): Promise<readonly ProfiledFunction[]>;
}

export interface Question {
  readonly number: number;
  readonly task: string;
  readonly args: readonly unknown[];
}

export type Answer =
  { readonly number: number; readonly result: unknown } | { readonly number: number; readonly error: string };

/** What the process of a node is started with. */
export interface NodeAssignment {
  readonly url: string;
  /** `null`: without the option `cluster`. */
  readonly bus: 'postgres' | 'redis' | 'table' | null;
  readonly redisUrl: string;
}

export interface NodeQuestion {
  readonly task: 'create' | 'show' | 'revoke';
  readonly texts: readonly string[];
}

export interface NodeAnswer {
  readonly results: readonly (string | number)[];
}

/** What it took to start; memory in bytes. */
export interface Boot {
  readonly milliseconds: number;
  readonly rss: number;
  readonly heapUsed: number;
}
