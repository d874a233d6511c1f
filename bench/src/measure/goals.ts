import { contestant as contestantCalled } from '../contestants/catalogue.js';
import type { Platform } from '../contestants/contestant.js';

/** What is wanted of a contestant: so many times the requests per second of another. With 64 connections. */
export interface Goal {
  readonly what: string;
  readonly platform: Platform;
  readonly contestant: string;
  readonly reference: string;
  readonly atLeast: number;
}

export const GOAL_CONNECTIONS = 64;

export const GOALS: readonly Goal[] = [
  ...goalsOn('fastify', 'ours-fastify-pg', [
    ['strict on PostgreSQL, × bare handler', 'bare-fastify', 0.65],
    ['strict, × the floor of a query per request', 'floor-fastify', 2],
    ['strict, × @nestjs/jwt with a `KeyObject`', 'jwt-fastify-key', 1.15],
    ['strict, × @nestjs/jwt with a string', 'jwt-fastify-string', 13],
    ['strict, × better-auth', 'better-auth-fastify', 20],
    ['strict, × better-auth with cookie cache', 'better-auth-fastify-cache', 10],
    ['strict, × @fastify/session on PostgreSQL', 'session-fastify-pg', 3.5],
    ['strict, × @fastify/session on Redis', 'session-fastify-redis', 1.8],
  ]),
  ...goalsOn('fastify', 'ours-fastify-sqlite', [['sqlite3, × bare handler', 'bare-fastify', 0.6]]),
  ...goalsOn('fastify', 'ours-fastify-cache', [['near cache, × bare handler', 'bare-fastify', 0.8]]),
  ...goalsOn('express', 'ours-express-pg', [
    ['strict on PostgreSQL, × bare handler', 'bare-express', 0.84],
    ['strict, × the floor of a query per request', 'floor-express', 1.4],
    ['strict, × @nestjs/jwt with a `KeyObject`', 'jwt-express-key', 1.05],
    ['strict, × @nestjs/jwt with a string', 'jwt-express-string', 4.5],
    ['strict, × better-auth', 'better-auth-express', 6.5],
    ['strict, × better-auth with cookie cache', 'better-auth-express-cache', 3.5],
    ['strict, × express-session on connect-pg-simple', 'session-express-pg', 2.6],
    ['strict, × express-session on connect-typeorm', 'session-express-typeorm', 4.2],
    ['strict, × express-session on connect-redis', 'session-express-redis', 1.6],
    ['strict, × express-session in memory', 'session-express-memory', 1.4],
  ]),
  ...goalsOn('express', 'ours-express-sqlite', [['sqlite3, × bare handler', 'bare-express', 0.78]]),
  ...goalsOn('express', 'ours-express-cache', [['near cache, × bare handler', 'bare-express', 0.9]]),
];

/** @throws Error for the id of a contestant that there is not */
function goalsOn(
  platform: Platform,
  contestant: string,
  rows: readonly (readonly [what: string, reference: string, atLeast: number])[],
): Goal[] {
  return rows.map(([what, reference, atLeast]) => {
    for (const id of [contestant, reference]) contestantCalled(id);
    return { what, platform, contestant, reference, atLeast };
  });
}
